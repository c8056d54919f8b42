#include "ingress/problems.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/workflow.h"
#include "ingress/body.h"

namespace ganglion::ingress {
namespace {

constexpr Duration kRetryAfter{1000};

struct Status {
  std::string_view code;
  int status;
};

constexpr Status kStatuses[] = {
    {"not_found", 404},
    {"conflict", 409},
    {"idempotency_mismatch", 409},
    {"digest_mismatch", 409},
    {"not_permitted", 403},
    {"too_many_signals", 429},
    {"too_many_runs", 429},
    {"invalid", 422},
    {"unknown_step", 422},
    {"gone", 410},
    {"too_large", 413},
    {"unavailable", 503},
    {"overloaded", 503},
};

}  // namespace

http::Problem problem_of(const Error& error) {
  http::Problem problem{.status = 500, .code = error.code, .detail = error.message};
  const auto known = std::ranges::find(kStatuses, error.code, &Status::code);
  if (known == std::end(kStatuses)) return problem;
  problem.status = known->status;
  if (problem.status == 503 || problem.status == 429) problem.retry_after = kRetryAfter;
  return problem;
}

http::Problem blob_problem(const Error& error, const std::string& path) {
  if (error.code != "unknown_blob") return problem_of(error);
  return invalid({{path, error.message}});
}

http::Problem payload_too_large(const std::string& what, std::size_t size) {
  return {.status = 413,
          .code = "too_large",
          .detail = what + " has " + std::to_string(size) + " bytes; at most " + std::to_string(kMaxPayload) +
                    " are taken"};
}

http::Problem invalid(std::vector<http::FieldError> errors) {
  std::string detail = errors.empty() ? "the request is not valid" : errors.front().message;
  if (!errors.empty() && !errors.front().path.empty()) detail = errors.front().path + ": " + detail;
  if (errors.size() > 1) detail += " (and " + std::to_string(errors.size() - 1) + " more)";
  if (errors.size() > kMaxErrors) errors.resize(kMaxErrors);
  return {.status = 422, .code = "invalid", .detail = std::move(detail), .errors = std::move(errors)};
}

http::Problem invalid_parameter(const std::string& name, const std::string& what) {
  return {.status = 400, .code = "invalid_parameter", .detail = name + " " + what};
}

http::Problem not_found(std::string detail) {
  return {.status = 404, .code = "not_found", .detail = std::move(detail)};
}

}  // namespace ganglion::ingress
