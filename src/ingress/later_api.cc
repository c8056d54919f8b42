#include "ingress/later_api.h"

#include <string>

#include "ingress/http/exchange.h"
#include "ingress/http/router.h"

namespace ganglion::ingress {
namespace {

using http::Method;

struct LaterRoute {
  Method method;
  const char* pattern;
};

constexpr LaterRoute kLater[] = {
    {Method::get, "/.well-known/agent-card.json"},
    {Method::post, "/a2a"},
    {Method::get, "/mcp"},
    {Method::post, "/mcp"},
    {Method::delete_, "/mcp"},
};

}  // namespace

void register_later_routes(http::Router& router) {
  for (const LaterRoute& route : kLater) {
    router.add(route.method, route.pattern, [](const http::Request&, http::Responder responder) {
      responder.fail({.status = 501,
                      .code = "not_available_yet",
                      .detail = "this version of the server doesn't have it yet"});
    });
  }
  router.add(Method::get, "/", [](const http::Request&, http::Responder responder) {
    responder.fail({.status = 404,
                    .code = "not_available_yet",
                    .detail = "the dashboard is not available yet; GET /openapi.json tells what is"});
  });
}

}  // namespace ganglion::ingress
