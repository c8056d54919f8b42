// A project file from anybody: it is a project or a list of errors that point into it, and never more. What
// is a project can be drawn, and says the same when it is read again.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "project/graph.h"
#include "project/project.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ganglion::project;
  const std::string_view source(reinterpret_cast<const char*>(data), size);
  const Loaded project = parse(source, "ganglion.yaml");
  if (!project) {
    if (project.error().empty() || project.error().size() > kMaxDiagnostics + 1) std::abort();
    for (const Diagnostic& diagnostic : project.error()) {
      if (diagnostic.message.empty() || diagnostic.line < 0 || diagnostic.column < 0) std::abort();
      if (diagnostic.text().find('\n') != std::string::npos) std::abort();
    }
    return 0;
  }
  for (const auto& [name, workflow] : (*project)->workflows) {
    if (graph(workflow).empty() || mermaid(workflow).empty()) std::abort();
  }
  const Loaded again = parse((*project)->source, "ganglion.yaml");
  if (!again || (*again)->digest != (*project)->digest) std::abort();
  return 0;
}
