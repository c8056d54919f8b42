#pragma once

// Blocking HTTP on libcurl, which this unit alone knows. One connection is kept between calls.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace ganglion::cli {

inline constexpr std::size_t kMaxAnswer = 256 << 20;  // bytes of one answer that is not a stream

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<std::string> body;
  Duration timeout{30'000};  // of the whole exchange; of a stream: until its headers
};

struct HttpAnswer {
  long status = 0;
  std::string body;
};

// What a stream calls while it lasts. Each says whether to go on.
struct StreamWatcher {
  std::function<bool(std::string_view bytes)> on_bytes;
  std::function<bool()> on_tick;
  Duration tick{100};
  int wake_descriptor = -1;  // a tick comes at once when it becomes readable
};

class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Error codes: `unreachable` (nothing was sent), `connection_lost` (it may have been), `timeout`,
  // `too_large`.
  Result<HttpAnswer> send(const HttpRequest& request);
  // An answer 200 goes to the watcher piece by piece; any other is collected. Ends when the server ends it or
  // the watcher says so (then without an error).
  Result<HttpAnswer> stream(const HttpRequest& request, const StreamWatcher& watcher);

 private:
  struct Handles;
  std::unique_ptr<Handles> handles_;
};

}  // namespace ganglion::cli
