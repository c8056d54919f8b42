#pragma once

// What workers send, read from JSON.

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/poll.h"
#include "ingress/api.h"
#include "ingress/body.h"
#include "ports/tasks.h"

namespace ganglion::ingress {

inline constexpr std::size_t kMaxPolledAgents = 64;
inline constexpr std::size_t kMaxWorkerId = 255;
inline constexpr std::size_t kMaxErrorCode = 64;
inline constexpr std::size_t kMaxErrorMessage = 4096;  // bytes; longer messages are cut
inline constexpr std::int64_t kMaxTopicVersion = 1'000'000;
inline constexpr Duration kMaxWork = std::chrono::hours(24 * 365);
inline constexpr std::size_t kMaxTokenLength = 128;

// `agents`, `worker`, `max`, `wait`.
agents::PollRequest read_poll(ObjectReader& body, const Options& options);

struct Report {
  TaskReport report;
  std::vector<std::string> blobs;  // that the result refers to; whether they are there is another question
};

// What a worker reports, or the verdict on what is no report.
using ReadResult = std::expected<Report, Verdict>;

// One result. `errors` are those of the envelope that it came in: no object, no string as its token; any other
// flaw makes the result `invalid`. Its own `worker` is put in the place of `worker`.
ReadResult read_result(std::string_view json, const std::string& path, const std::string& worker,
                       std::vector<http::FieldError>& errors);

// `results`. An entry whose token can't be one is `unknown`, one that is malformed otherwise `invalid`; the
// others count. An entry that is no object with a string as its token is an error of the request. An output
// beyond the payload limit becomes the failure `output_too_large`, because the attempt has ended and a
// repetition would not help.
std::vector<ReadResult> read_results(ObjectReader& body, const std::string& worker,
                                     std::vector<http::FieldError>& errors);

}  // namespace ganglion::ingress
