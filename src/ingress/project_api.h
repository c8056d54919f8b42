#pragma once

// /v1/project, /v1/workflows, /v1/agents: the project file and what it defines.

#include "ingress/api.h"
#include "ingress/http/exchange.h"
#include "ingress/http/message.h"

namespace ganglion {
struct Project;
}

namespace ganglion::ingress {

class ProjectApi {
 public:
  explicit ProjectApi(const Dependencies& dependencies) : dependencies_(dependencies) {}

  void register_routes(http::Router& router);

 private:
  void put(const http::Request& request, http::Responder responder);
  void get(const http::Request& request, http::Responder responder);
  void list_workflows(const http::Request& request, http::Responder responder);
  void show_workflow(const http::Request& request, http::Responder responder);
  void list_agents(const http::Request& request, http::Responder responder);
  void show_agent(const http::Request& request, http::Responder responder);

  Dependencies dependencies_;
};

}  // namespace ganglion::ingress
