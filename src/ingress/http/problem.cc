#include "ingress/http/problem.h"

#include "base/json_text.h"

namespace ganglion::http {

Response to_response(const Problem& problem) {
  JsonObject body;
  body.add("type", "urn:ganglion:problem:" + problem.code)
      .add("title", reason_phrase(problem.status))
      .add("status", std::int64_t{problem.status})
      .add("detail", problem.detail)
      .add("code", problem.code);
  if (!problem.errors.empty()) {
    std::string errors = "[";
    for (const FieldError& error : problem.errors) {
      if (errors.size() > 1) errors += ',';
      JsonObject one;
      one.add("path", error.path).add("message", error.message);
      if (error.line > 0) one.add("line", std::int64_t{error.line}).add("column", std::int64_t{error.column});
      errors += one.finish();
    }
    errors += ']';
    body.add_raw("errors", errors);
  }
  for (const auto& [name, value] : problem.members) body.add_raw(name, value);

  Response response{problem.status, "application/problem+json", problem.headers, std::move(body).finish()};
  if (problem.retry_after) {
    const auto seconds = (problem.retry_after->count() + 999) / 1000;
    response.headers.emplace_back("Retry-After", std::to_string(seconds < 1 ? 1 : seconds));
  }
  return response;
}

}  // namespace ganglion::http
