#pragma once

// Calls to other servers. One request, one answer, both whole in memory and bounded; connections are kept
// alive and shared behind the scenes. Redirects are not followed: an agent's secret headers must not wander
// to another server, and a POST must not turn into a GET. They come back as answers with their 3xx status.
//
// Everything runs on the loop's thread; completions run never inside the call.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/strong_id.h"
#include "base/time.h"

namespace ganglion {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method = "GET";
  std::string url;  // http or https
  HttpHeaders headers;
  std::string body;
  Duration timeout{30'000};  // of the whole exchange
  std::size_t max_response_bytes = 1 << 20;
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers;  // names in lower case
  std::string body;

  // The value of the first header with this name (lower case); empty if there is none.
  std::string_view header(std::string_view name) const {
    for (const auto& [known, value] : headers) {
      if (known == name) return value;
    }
    return {};
  }
};

using HttpCallId = StrongId<struct HttpCallIdTag, std::uint64_t>;

class HttpClient {
 public:
  // Errors: `timeout`; `too_large` (the answer); `invalid_request` (the url or a header); `unreachable` (no
  // connection, or it broke: whether the server acted on the request is unknown).
  using Completion = std::move_only_function<void(Result<HttpResponse>)>;

  virtual ~HttpClient() = default;

  virtual HttpCallId send(HttpRequest request, Completion done) = 0;
  // Aborts the exchange; `done` is not called any more. A call that is over is ignored.
  virtual void cancel(HttpCallId call) = 0;
};

}  // namespace ganglion
