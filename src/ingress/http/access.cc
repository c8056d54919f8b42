#include "ingress/http/access.h"

#include <algorithm>

namespace ganglion::http {
namespace {

// Looks at every byte whatever the outcome; only the length of the presented token shows.
bool equal_in_constant_time(std::string_view presented, std::string_view expected) {
  unsigned difference = presented.size() == expected.size() ? 0u : 1u;
  for (std::size_t i = 0; i < presented.size(); ++i) {
    const auto other = expected[i % expected.size()];
    difference |= static_cast<unsigned char>(presented[i]) ^ static_cast<unsigned char>(other);
  }
  const volatile unsigned result = difference;
  return result == 0;
}

std::optional<std::string_view> without_scheme(std::string_view origin) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.starts_with(scheme)) return origin.substr(scheme.size());
  }
  return std::nullopt;
}

}  // namespace

std::string_view host_name(std::string_view host) {
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    if (end == std::string_view::npos) return {};
    const std::string_view after = host.substr(end + 1);
    return after.empty() || after.starts_with(':') ? host.substr(1, end - 1) : std::string_view();
  }
  const std::size_t colon = host.find(':');
  if (colon == std::string_view::npos) return host;
  const std::string_view port = host.substr(colon + 1);
  const bool digits = std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
  return digits ? host.substr(0, colon) : std::string_view();
}

Gate::Gate(const Options& options) : tokens_(options.tokens) {
  if (!is_loopback(options.address) && options.allowed_hosts.empty()) return;
  hosts_ = options.allowed_hosts;
  hosts_.insert(hosts_.end(), {"localhost", "127.0.0.1", "::1", options.address});
}

bool Gate::host_allowed(std::string_view host) const {
  if (hosts_.empty()) return true;
  const std::string_view name = host_name(host);
  return std::ranges::any_of(hosts_,
                             [&](const std::string& known) { return equal_ignoring_case(known, name); });
}

bool Gate::token_known(std::string_view token) const {
  bool known = false;
  for (const std::string& candidate : tokens_) known |= equal_in_constant_time(token, candidate);
  return known;
}

std::optional<Problem> Gate::refuse(const Request& request, Access access) const {
  const std::string_view host = request.header("host").value_or("");
  if (!hosts_.empty() && !host_allowed(host)) {
    return Problem{403, "host_not_allowed", "this server does not answer to the name in the Host header"};
  }
  if (const auto origin = request.header("origin")) {
    const auto from = without_scheme(*origin);
    if (!from || !equal_ignoring_case(*from, host)) {
      return Problem{403, "origin_not_allowed", "requests from web pages of another origin are refused"};
    }
  }
  if (access == Access::anyone || tokens_.empty()) return std::nullopt;
  const std::string_view credentials = request.header("authorization").value_or("");
  const std::size_t space = credentials.find(' ');
  const bool bearer = equal_ignoring_case(credentials.substr(0, space), "bearer");
  if (bearer && space != std::string_view::npos && token_known(credentials.substr(space + 1)))
    return std::nullopt;
  Problem problem{401, "unauthorized", "send Authorization: Bearer with a token of this server"};
  problem.headers.emplace_back("WWW-Authenticate", "Bearer");
  return problem;
}

}  // namespace ganglion::http
