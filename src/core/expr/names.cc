#include "core/expr/names.h"

#include <algorithm>
#include <array>

namespace ganglion::expr {
namespace {

std::string join(const std::vector<std::string>& path, std::size_t count) {
  std::string name;
  for (std::size_t i = 0; i < count; ++i) name += (i == 0 ? "" : ".") + path[i];
  return name;
}

void append_in_container(const std::string& name, bool absolute, std::string_view container,
                         std::vector<std::string>& names) {
  if (!absolute) {
    while (!container.empty()) {
      names.push_back(std::string(container) + '.' + name);
      std::size_t dot = container.rfind('.');
      container = container.substr(0, dot == std::string_view::npos ? 0 : dot);
    }
  }
  names.push_back(name);
}

}  // namespace

std::vector<std::string> qualified_names(const std::vector<std::string>& path, bool absolute,
                                         std::string_view container) {
  std::vector<std::string> names;
  append_in_container(join(path, path.size()), absolute, container, names);
  return names;
}

std::vector<NameNode::Candidate> name_candidates(const std::vector<std::string>& path, bool absolute,
                                                 std::string_view container) {
  std::vector<NameNode::Candidate> candidates;
  for (std::size_t count = path.size(); count > 0; --count) {
    std::vector<std::string> names;
    append_in_container(join(path, count), absolute, container, names);
    for (std::string& name : names) candidates.push_back({std::move(name), count});
  }
  return candidates;
}

bool is_reserved_word(std::string_view word) {
  constexpr std::array<std::string_view, 21> kReserved = {
      "as",       "break",   "const",  "continue", "else", "false", "for",
      "function", "if",      "import", "in",       "let",  "loop",  "namespace",
      "null",     "package", "return", "true",     "var",  "void",  "while"};
  return std::ranges::binary_search(kReserved, word);
}

}  // namespace ganglion::expr
