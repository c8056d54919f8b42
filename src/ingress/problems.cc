#include "ingress/problems.h"

#include <utility>

#include "ingress/body.h"

namespace ganglion::ingress {
namespace {

constexpr Duration kRetryAfter{1000};

}  // namespace

http::Problem problem_of(const Error& error) {
  http::Problem problem{.status = 500, .code = error.code, .detail = error.message};
  if (error.code == "not_found") {
    problem.status = 404;
  } else if (error.code == "conflict" || error.code == "idempotency_mismatch") {
    problem.status = 409;
  } else if (error.code == "unavailable" || error.code == "overloaded") {
    problem.status = 503;
    problem.retry_after = kRetryAfter;
  }
  return problem;
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
