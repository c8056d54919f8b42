#pragma once

// Routes by method and path pattern: `/v1/runs/{id}/journal`. A literal segment wins over a `{…}` one. HEAD
// is answered by the GET route and OPTIONS by the router itself.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ingress/http/access.h"
#include "ingress/http/message.h"
#include "ingress/http/target.h"

namespace ganglion::http {

class Responder;

// Called on the event loop, once per request; answers through the responder, at once or later.
using Handler = std::function<void(Request request, Responder responder)>;

struct Route {
  Method method;
  std::string pattern;
  Access access = Access::token;
  Handler handler;
  // Bytes of a request's body that this route takes instead of `request.body` of the options; 0: no more than
  // those.
  std::size_t body_limit = 0;
};

class Router {
 public:
  Router();
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  // A pattern and method are added once. All routes are added before the server starts.
  void add(Method method, std::string pattern, Handler handler, Access access = Access::token,
           std::size_t body_limit = 0);

  struct Match {
    const Route* route;
    std::vector<std::string> parameters;
  };
  struct NotFound {};
  // The path exists, with these methods: "GET, HEAD, OPTIONS".
  struct OtherMethods {
    std::string allow;
  };
  std::variant<Match, NotFound, OtherMethods> find(Method method, const Target& target) const;

  std::vector<const Route*> routes() const;  // in the order of their addition
  // Of all routes.
  std::size_t largest_body_limit() const;

 private:
  struct Node;
  std::unique_ptr<Node> root_;
  std::vector<std::unique_ptr<Route>> routes_;
};

}  // namespace ganglion::http
