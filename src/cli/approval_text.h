#pragma once

// What waits for a person, as text: a table of all, and one whole, as it is decided.

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace ganglion::cli {

std::string approvals_table(const std::vector<std::string_view>& approvals, std::size_t columns);
// Everything that the decision is about, with its digest.
std::string approval_details(std::string_view approval);

// The one that somebody means by its id, by its run, by `RUN/STEP` or `RUN/STEP[ITEM]`. Else a sentence that
// says why it is not clear.
std::expected<std::string_view, std::string> find_approval(const std::vector<std::string_view>& approvals,
                                                           std::string_view named);

}  // namespace ganglion::cli
