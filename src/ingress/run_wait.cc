#include "ingress/run_wait.h"

#include <utility>

#include "core/run_json.h"
#include "ingress/problems.h"

namespace ganglion::ingress {

void RunWait::begin(const Dependencies& dependencies, RunId run, int status, Duration wait,
                    http::Responder responder) {
  // Nobody would tell a follower to leave whose client has gone before it came.
  if (!responder.open()) return;
  std::make_shared<RunWait>(dependencies, std::move(run), status, std::move(responder))->start(wait);
}

void RunWait::start(Duration wait) {
  const auto self = shared_from_this();
  // Following comes first, so that the end can't fall between a look and it.
  follower_ = dependencies_.coordinator.follow(run_, [self](std::span<const JournalEntry>, const Run& run) {
    if (run.ended()) self->answer(run);
  });
  timer_ = dependencies_.clock.at(dependencies_.clock.now() + wait, [self] { self->answer_now(); });
  responder_.on_interrupt([self](http::Interrupt why) {
    if (why == http::Interrupt::client_gone) return self->leave();
    // While a commit is under way the run can be shown only afterwards: the new hook asks the server to wait.
    self->responder_.on_interrupt([self](http::Interrupt) { self->leave(); });
    self->answer_now();
  });
  dependencies_.coordinator.inspect(run_, [self](Result<const Run*> run) {
    if (!run) {
      self->refuse(run.error());
    } else if ((*run)->ended()) {
      self->answer(**run);
    }
  });
}

void RunWait::answer_now() {
  dependencies_.coordinator.inspect(run_, [self = shared_from_this()](Result<const Run*> run) {
    if (!run) return self->refuse(run.error());
    self->answer(**run);
  });
}

void RunWait::refuse(const Error& error) {
  if (std::exchange(over_, true)) return;
  responder_.fail(problem_of(error));
  leave();
}

void RunWait::answer(const Run& run) {
  if (std::exchange(over_, true)) return;
  http::Response response = http::Response::json(status_, run_json(run));
  response.headers.emplace_back("Location", "/v1/runs/" + run_.text());
  responder_.respond(std::move(response));
  leave();
}

void RunWait::leave() {
  over_ = true;
  dependencies_.clock.cancel(timer_);
  dependencies_.coordinator.unfollow(run_, follower_);
}

}  // namespace ganglion::ingress
