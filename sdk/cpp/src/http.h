#pragma once

// HTTP on libcurl, which only this unit knows. `Exchange` is one request with its answer; `Http` performs
// them one by one in the caller's thread, `HttpLoop` many at a time in one thread.

#include <boost/json/value.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ganglion/connection.h"

namespace ganglion {

inline constexpr std::chrono::milliseconds kRequestTimeout{30'000};
// A stream that says nothing for so long, not even a comment, counts as broken.
inline constexpr std::chrono::seconds kStreamSilence{60};
inline constexpr std::size_t kMaxAnswer = 320u
                                          << 20;  // bytes: 256 tasks of 1 MiB each and what lies around them

enum class Repeat { allowed, never };

struct HttpRequest {
  std::string method = "GET";
  std::string path;
  std::optional<std::string> body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::chrono::milliseconds timeout = kRequestTimeout;  // of the whole answer
  Repeat repeat = Repeat::allowed;
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers = {};  // names in lower case
  std::string body = {};

  // The body of a 2xx; throws `Problem` for any other status.
  const std::string& content() const;
  boost::json::value json() const;  // null if it is empty
};

class Endpoint {
 public:
  explicit Endpoint(const Connection& connection);
  const std::string& url() const { return url_; }
  const std::string& token() const { return token_; }

 private:
  std::string url_;
  std::string token_;
};

std::string percent_encoded(std::string_view text);
// `?name=value&…` of the values that are there; empty if there are none.
std::string query(std::initializer_list<std::pair<std::string_view, std::optional<std::string>>> values);

class Http {
 public:
  explicit Http(const Connection& connection);
  ~Http();
  HttpResponse send(const HttpRequest& request);
  // An answer 200 goes to `on_bytes` piece by piece until the server or `on_bytes` (false) ends it; any other
  // comes back whole.
  HttpResponse stream(const HttpRequest& request, const std::function<bool(std::string_view)>& on_bytes);

 private:
  void* take();
  void give_back(void* handle);

  Endpoint endpoint_;
  std::mutex mutex_;
  std::vector<void*> idle_;
};

// What an exchange ended with: an answer of any status, or why there is none.
struct HttpOutcome {
  std::optional<HttpResponse> response;
  std::string failure;
};

class HttpLoop {
 public:
  using Done = std::function<void(HttpOutcome)>;
  // Of an exchange that can be taken back.
  using Ticket = std::uint64_t;

  explicit HttpLoop(const Connection& connection);
  ~HttpLoop();
  HttpLoop(const HttpLoop&) = delete;
  HttpLoop& operator=(const HttpLoop&) = delete;

  // `done` is called once, from `turn`, unless the loop is destroyed before.
  void send(const HttpRequest& request, Done done);
  Ticket send_long_poll(const HttpRequest& request, Done done);
  // Tells the server that nobody listens any more, while an answer that is under way can still be read.
  void take_back(Ticket ticket);
  // Waits until something can go on, `wake_descriptor` is readable or the time is over; carries on what can.
  void turn(std::chrono::milliseconds at_most, int wake_descriptor);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace ganglion
