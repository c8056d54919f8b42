#include "ingress/http/router.h"

#include <algorithm>
#include <map>

#include "base/assert.h"
#include "ingress/http/exchange.h"

namespace ganglion::http {

struct Router::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> parameter;
  std::vector<const Route*> routes;

  const Route* find(Method method) const {
    for (const Route* route : routes) {
      if (route->method == method) return route;
    }
    return nullptr;
  }
};

namespace {

bool is_parameter(std::string_view segment) {
  return segment.starts_with('{') && segment.ends_with('}');
}

std::string allowed_methods(const std::vector<const Route*>& routes) {
  std::string allow;
  for (const Route* route : routes) {
    allow += method_name(route->method);
    allow += route->method == Method::get ? ", HEAD, " : ", ";
  }
  return allow + "OPTIONS";
}

}  // namespace

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

void Router::add(Method method, std::string pattern, Handler handler, Access access, std::size_t body_limit) {
  // Patterns are this program's own and need no decoding.
  GANGLION_ASSERT(pattern.starts_with('/'));
  Node* node = root_.get();
  std::string_view rest = std::string_view(pattern).substr(1);
  while (true) {
    const std::size_t end = rest.find('/');
    const std::string_view segment = rest.substr(0, end);
    std::unique_ptr<Node>& next =
        is_parameter(segment) ? node->parameter : node->literals[std::string(segment)];
    if (!next) next = std::make_unique<Node>();
    node = next.get();
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  GANGLION_ASSERT(node->find(method) == nullptr);
  routes_.push_back(
      std::make_unique<Route>(Route{method, std::move(pattern), access, std::move(handler), body_limit}));
  node->routes.push_back(routes_.back().get());
}

std::variant<Router::Match, Router::NotFound, Router::OtherMethods> Router::find(Method method,
                                                                                 const Target& target) const {
  // Literal before parameter at every level, without going back: no two patterns here need it.
  const Node* node = root_.get();
  Match match{nullptr, {}};
  for (const std::string& segment : target.segments) {
    if (const auto literal = node->literals.find(segment); literal != node->literals.end()) {
      node = literal->second.get();
    } else if (node->parameter && !segment.empty()) {
      node = node->parameter.get();
      match.parameters.push_back(segment);
    } else {
      return NotFound{};
    }
  }
  if (node->routes.empty()) return NotFound{};
  match.route = node->find(method == Method::head ? Method::get : method);
  if (match.route == nullptr) return OtherMethods{allowed_methods(node->routes)};
  return match;
}

std::vector<const Route*> Router::routes() const {
  std::vector<const Route*> all;
  for (const auto& route : routes_) all.push_back(route.get());
  return all;
}

std::size_t Router::largest_body_limit() const {
  std::size_t largest = 0;
  for (const auto& route : routes_) largest = std::max(largest, route->body_limit);
  return largest;
}

}  // namespace ganglion::http
