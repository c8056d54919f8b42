#pragma once

// What is done to a run from outside: signals and forks.

#include "core/ids.h"
#include "ingress/api.h"
#include "ingress/http/exchange.h"
#include "ingress/http/message.h"

namespace ganglion::ingress {

class RunVerbsApi {
 public:
  explicit RunVerbsApi(const Dependencies& dependencies) : dependencies_(dependencies) {}

  void register_routes(http::Router& router);

 private:
  struct Fork;

  void signal(const http::Request& request, http::Responder responder);
  void fork(const http::Request& request, http::Responder responder);
  void begin(Fork& fork);

  Dependencies dependencies_;
};

}  // namespace ganglion::ingress
