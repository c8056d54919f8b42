#pragma once

// /v1/runs/{id}/journal: what a run has done, as a list, or as an event stream that goes on until the run has
// ended.

#include "ingress/api.h"
#include "ingress/http/exchange.h"
#include "ingress/http/message.h"

namespace ganglion::ingress {

class JournalApi {
 public:
  explicit JournalApi(const Dependencies& dependencies) : dependencies_(dependencies) {}

  void register_routes(http::Router& router);

 private:
  void read(const http::Request& request, http::Responder responder);

  Dependencies dependencies_;
};

}  // namespace ganglion::ingress
