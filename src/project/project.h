#pragma once

// ganglion.yaml as a Project: read as YAML with positions, checked key by key, expressions and schemas
// compiled, names resolved, edges drawn. Every error of a file is reported at once, in the order of the file;
// nothing is ignored: a key that the format has and this version doesn't is refused by name.
//
// parse() is pure: no file system, no environment, no clock. What `${{ secrets.X }}` stands for in the url
// and headers of an agent is filled in where the request is made; here only its form is checked.

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/workflow.h"

namespace ganglion::project {

inline constexpr std::size_t kMaxProjectBytes = 4 << 20;
inline constexpr std::size_t kMaxDiagnostics = 100;  // then one more that counts the rest

struct Diagnostic {
  std::string file;
  int line = 0;  // from 1; 0 where the diagnostic is about the whole file
  int column = 0;
  std::string path;  // of the key, from the workflow where it is in a step: "steps.test_writer.agent"
  std::string message;

  // "ganglion.yaml:14:9: steps.test_writer.agent: no agent \"test_writter\"; did you mean \"test_writer\"?"
  std::string text() const;
};

using Loaded = std::expected<std::shared_ptr<const Project>, std::vector<Diagnostic>>;

// `file_name` is what diagnostics call the file. Never empty diagnostics.
Loaded parse(std::string_view source, std::string_view file_name);

// Error codes `unreadable_project` (it doesn't exist, is a directory, …) and `project_too_large`.
Result<std::string> read_file(const std::string& path);

}  // namespace ganglion::project
