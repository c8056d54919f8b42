#pragma once

// What a request's head may look like, beyond what a lenient parser would accept. Two parties that read one
// byte stream differently are how request smuggling works, so everything that RFC 9112 lets a recipient
// repair is refused here instead: bare LF, obsolete line folding, white space around a field name, control
// characters, a second Content-Length, Transfer-Encoding or Host, Content-Length together with
// Transfer-Encoding, any coding but one `chunked`.
//
// Pure: looks at bytes, allocates only for a fault. Beast parses what has passed.

#include <optional>
#include <string>
#include <string_view>

#include "ingress/http/options.h"

namespace ganglion::http {

// Why a request can't be read; the connection is closed after the answer.
struct ReadFault {
  int status = 400;
  std::string code;
  std::string detail;
};

// `head` is everything from the request line to the empty line, with it.
std::optional<ReadFault> check_head(std::string_view head, const ReaderLimits& limits);

// An LF in `bytes` that doesn't follow a CR; `previous` is the byte before the first one, or 0.
bool has_bare_line_feed(std::string_view bytes, char previous);

}  // namespace ganglion::http
