#pragma once

// /v1/events: the event log. Clients publish CloudEvents and read or follow what was published.

#include "ingress/api.h"
#include "ingress/http/exchange.h"
#include "ingress/http/message.h"

namespace ganglion::ingress {

class EventsApi {
 public:
  explicit EventsApi(const Dependencies& dependencies) : dependencies_(dependencies) {}

  void register_routes(http::Router& router);

 private:
  void publish(const http::Request& request, http::Responder responder);
  void read(const http::Request& request, http::Responder responder);

  Dependencies dependencies_;
};

}  // namespace ganglion::ingress
