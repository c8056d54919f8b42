#pragma once

// How a dotted name is looked for: the longest name first, and each name in the innermost namespace first.
// With the container `x.y`, `a.b` is x.y.a.b, x.a.b, a.b, x.y.a, x.a, a.

#include <string>
#include <string_view>
#include <vector>

#include "core/expr/ast.h"

namespace ganglion::expr {

// Parts of a dotted name that are looked up as one name; what follows is selected.
inline constexpr std::size_t kMaxNameParts = 16;

std::vector<NameNode::Candidate> name_candidates(const std::vector<std::string>& path, bool absolute,
                                                 std::string_view container);
// Those that stand for the whole path.
std::vector<std::string> qualified_names(const std::vector<std::string>& path, bool absolute,
                                         std::string_view container);

// `true`, `for`, `import`, …: never names of variables.
bool is_reserved_word(std::string_view word);

}  // namespace ganglion::expr
