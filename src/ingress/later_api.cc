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
    {Method::post, "/v1/runs/{id}/fork"},
    {Method::post, "/v1/runs/{id}/signals/{name}"},
    {Method::get, "/v1/runs/{id}/tax"},
    {Method::post, "/v1/events"},
    {Method::get, "/v1/events"},
    {Method::get, "/v1/sessions/{id}/state"},
    {Method::get, "/v1/sessions/{id}/state/{key}"},
    {Method::put, "/v1/sessions/{id}/state/{key}"},
    {Method::delete_, "/v1/sessions/{id}/state/{key}"},
    {Method::put, "/v1/blobs/{sha256}"},
    {Method::get, "/v1/blobs/{sha256}"},
    {Method::get, "/v1/dead-letters"},
    {Method::post, "/v1/dead-letters/{id}/requeue"},
    {Method::delete_, "/v1/dead-letters/{id}"},
    {Method::get, "/v1/approvals"},
    {Method::post, "/v1/approvals/{id}"},
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
