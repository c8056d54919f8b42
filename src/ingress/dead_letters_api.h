#pragma once

// /v1/dead-letters: tasks that have failed for good and events that could not be set off, and what a person
// does about them.

#include <memory>

#include "ingress/api.h"
#include "ingress/http/exchange.h"
#include "ingress/http/message.h"

namespace ganglion::ingress {

class DeadLettersApi {
 public:
  explicit DeadLettersApi(const Dependencies& dependencies) : dependencies_(dependencies) {}

  void register_routes(http::Router& router);

 private:
  struct Requeue;

  void list(const http::Request& request, http::Responder responder);
  void requeue(const http::Request& request, http::Responder responder);
  void requeue_task(std::shared_ptr<Requeue> requeue);
  void requeue_event(std::shared_ptr<Requeue> requeue);
  void publish(std::shared_ptr<Requeue> requeue);
  void remove(const http::Request& request, http::Responder responder);
  void purge(const http::Request& request, http::Responder responder);

  Dependencies dependencies_;
};

}  // namespace ganglion::ingress
