#pragma once

// /v1/approvals: what waits for a person, and the decisions.

#include "ingress/api.h"
#include "ingress/http/exchange.h"
#include "ingress/http/message.h"

namespace ganglion::ingress {

class ApprovalsApi {
 public:
  explicit ApprovalsApi(const Dependencies& dependencies) : dependencies_(dependencies) {}

  void register_routes(http::Router& router);

 private:
  void list(const http::Request& request, http::Responder responder);
  void decide(const http::Request& request, http::Responder responder);

  Dependencies dependencies_;
};

}  // namespace ganglion::ingress
