#pragma once

// `?wait=30s`: answers a request with a run as soon as the run has ended, or with its state when the time is
// up. While it waits it holds a follower and a timer; both go with the answer, or with the client.

#include <memory>

#include "coordinator/coordinator.h"
#include "ingress/api.h"
#include "ingress/http/exchange.h"

namespace ganglion::ingress {

class RunWait : public std::enable_shared_from_this<RunWait> {
 public:
  // `status` is that of the answer.
  static void begin(const Dependencies& dependencies, RunId run, int status, Duration wait,
                    http::Responder responder);

  RunWait(const Dependencies& dependencies, RunId run, int status, http::Responder responder)
      : dependencies_(dependencies),
        run_(std::move(run)),
        status_(status),
        responder_(std::move(responder)) {}

 private:
  void start(Duration wait);
  // Answers with the run as it is now.
  void answer_now();
  void answer(const Run& run);
  void refuse(const Error& error);
  void leave();

  Dependencies dependencies_;
  RunId run_;
  int status_;
  http::Responder responder_;
  FollowerId follower_;
  TimerId timer_;
  bool over_ = false;
};

}  // namespace ganglion::ingress
