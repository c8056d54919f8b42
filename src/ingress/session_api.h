#pragma once

// /v1/sessions/{id}: what belongs to a session, in figures.

#include "ingress/api.h"
#include "ingress/http/exchange.h"
#include "ingress/http/message.h"

namespace ganglion::ingress {

class SessionApi {
 public:
  explicit SessionApi(const Dependencies& dependencies) : dependencies_(dependencies) {}

  void register_routes(http::Router& router);

 private:
  void show(const http::Request& request, http::Responder responder);

  Dependencies dependencies_;
};

}  // namespace ganglion::ingress
