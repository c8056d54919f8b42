#pragma once

// /v1/sessions: what a session is, and the state that its runs share: keys with conditional writes, and
// snapshots by version.

#include <string>

#include "ingress/api.h"
#include "ingress/http/exchange.h"
#include "ingress/http/message.h"

namespace ganglion::ingress {

class StateApi {
 public:
  explicit StateApi(const Dependencies& dependencies) : dependencies_(dependencies) {}

  void register_routes(http::Router& router);

 private:
  void snapshot(const http::Request& request, http::Responder responder);
  void get(const http::Request& request, http::Responder responder);
  void put(const http::Request& request, http::Responder responder);
  void remove(const http::Request& request, http::Responder responder);

  Dependencies dependencies_;
};

}  // namespace ganglion::ingress
