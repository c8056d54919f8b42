#include "ingress/run_answer.h"

#include <utility>

#include "coordinator/coordinator.h"
#include "core/run_json.h"
#include "ingress/problems.h"

namespace ganglion::ingress {

void answer_with_run(const Dependencies& dependencies, const RunId& run, int status,
                     http::Responder responder) {
  auto look = [status, responder = std::move(responder)](Result<const Run*> found) mutable {
    if (!found) return responder.fail(problem_of(found.error()));
    http::Response response = http::Response::json(status, run_json(**found));
    if (status == 201) response.headers.emplace_back("Location", "/v1/runs/" + (*found)->id().text());
    responder.respond(std::move(response));
  };
  dependencies.coordinator.inspect(run, std::move(look));
}

}  // namespace ganglion::ingress
