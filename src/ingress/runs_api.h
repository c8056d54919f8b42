#pragma once

// /v1/runs: starts, shows, lists, cancels, pauses, resumes and retries runs.

#include "coordinator/coordinator.h"
#include "ingress/api.h"
#include "ingress/http/exchange.h"
#include "ingress/http/message.h"

namespace ganglion::http {
struct Target;
}

namespace ganglion::ingress {

class RunsApi {
 public:
  RunsApi(const Dependencies& dependencies, const Options& options)
      : dependencies_(dependencies), options_(options) {}

  void register_routes(http::Router& router);

 private:
  void start(http::Request request, http::Responder responder);
  void show(const http::Request& request, http::Responder responder);
  void list(const http::Request& request, http::Responder responder);
  void submit(const http::Request& request, Input input, http::Responder responder);
  void cancel(const http::Request& request, http::Responder responder);

  Dependencies dependencies_;
  Options options_;
};

}  // namespace ganglion::ingress
