#pragma once

// Who may ask: the Host, Origin and Authorization headers of a request, judged before its body is read.
//
// - Host: on loopback only the loopback names, the listening address and the configured names, so that a web
// page can't
//   reach the server through a name that resolves to 127.0.0.1 (DNS rebinding). Any port.
// - Origin: browsers send it with requests that change something; it must name the host that is being
// addressed.
// - Authorization: `Bearer` with one of the tokens, compared in time that doesn't depend on the content.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingress/http/message.h"
#include "ingress/http/options.h"
#include "ingress/http/problem.h"

namespace ganglion::http {

enum class Access { anyone, token };

class Gate {
 public:
  explicit Gate(const Options& options);

  // Codes: `host_not_allowed`, `origin_not_allowed` (403), `unauthorized` (401).
  std::optional<Problem> refuse(const Request& request, Access access) const;

 private:
  bool host_allowed(std::string_view host) const;
  bool token_known(std::string_view token) const;

  std::vector<std::string> hosts_;  // empty: any
  std::vector<std::string> tokens_;
};

// The host of `host[:port]`, without the brackets of an IPv6 address; empty if it can't be one.
std::string_view host_name(std::string_view host);

}  // namespace ganglion::http
