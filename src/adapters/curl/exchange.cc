#include "adapters/curl/exchange.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string_view>

#include "base/assert.h"

namespace ganglion {
namespace {

constexpr Duration kConnectTimeout{10'000};

bool is_clean(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return lower;
}

// Setting the option replaces what libcurl would read from the environment.
std::string no_proxy() {
  std::string list = "localhost,127.0.0.0/8,::1";
  for (const char* name : {"no_proxy", "NO_PROXY"}) {
    const char* more = std::getenv(name);
    if (!more || !*more) continue;
    return std::string_view(more) == "*" ? "*" : list + "," + more;
  }
  return list;
}

long milliseconds(Duration duration) {
  return static_cast<long>(
      std::clamp<std::int64_t>(duration.count(), 1, std::numeric_limits<std::int32_t>::max()));
}

}  // namespace

Exchange::Exchange(HttpCallId id, HttpRequest request, HttpClient::Completion done)
    : id_(id),
      request_(std::move(request)),
      done_(std::move(done)),
      no_proxy_(no_proxy()),
      easy_(curl().easy_init()) {
  GANGLION_ASSERT(easy_);
}

Result<void> Exchange::prepare() {
  if (!is_clean(request_.url) || !is_clean(request_.method)) {
    return fail("invalid_request", "the url has a line end in it");
  }
  const auto add = [this](const std::string& line) {
    curl_slist* longer = curl().slist_append(headers_.get(), line.c_str());
    GANGLION_ASSERT(longer);
    static_cast<void>(headers_.release());
    headers_.reset(longer);
  };
  for (const auto& [name, value] : request_.headers) {
    if (name.empty() || !is_clean(name) || !is_clean(value)) {
      return fail("invalid_request", "the header \"" + lower_case(trimmed(name)) + "\" has a line end in it");
    }
    // libcurl's notation for a header without a value.
    add(value.empty() ? name + ";" : name + ": " + value);
  }
  add("Expect:");  // no pause of a second before the body

  CURL* easy = easy_.get();
  if (curl().easy_setopt(easy, CURLOPT_URL, request_.url.c_str()) != CURLE_OK) {
    return fail("invalid_request", "the url can't be used");
  }
  if (!request_.body.empty() || request_.method == "POST") {
    curl().easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    curl().easy_setopt(easy, CURLOPT_POSTFIELDS, request_.body.data());
  }
  if (request_.method == "HEAD") curl().easy_setopt(easy, CURLOPT_NOBODY, 1L);
  curl().easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  curl().easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
  curl().easy_setopt(easy, CURLOPT_PRIVATE, this);
  curl().easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Exchange::receive_body);
  curl().easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl().easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Exchange::receive_header);
  curl().easy_setopt(easy, CURLOPT_HEADERDATA, this);
  set_transport();
  return {};
}

void Exchange::set_transport() {
  CURL* easy = easy_.get();
  curl().easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl().easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl().easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl().easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl().easy_setopt(easy, CURLOPT_NOPROXY, no_proxy_.c_str());
  curl().easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl().easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl().easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");  // whatever libcurl can decode
  curl().easy_setopt(easy, CURLOPT_USERAGENT, "ganglion");
  curl().easy_setopt(easy, CURLOPT_TIMEOUT_MS, milliseconds(request_.timeout));
  curl().easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     milliseconds(std::min(request_.timeout, kConnectTimeout)));
}

std::size_t Exchange::receive_body(char* bytes, std::size_t size, std::size_t count, void* exchange) {
  auto& self = *static_cast<Exchange*>(exchange);
  const std::size_t length = size * count;
  if (self.response_.body.size() + length > self.request_.max_response_bytes) {
    self.too_large_ = true;
    return 0;  // aborts
  }
  self.response_.body.append(bytes, length);
  return length;
}

std::size_t Exchange::receive_header(char* bytes, std::size_t size, std::size_t count, void* exchange) {
  auto& self = *static_cast<Exchange*>(exchange);
  const std::size_t length = size * count;
  self.header_bytes_ += length;
  if (self.header_bytes_ > kMaxResponseHeaders) {
    self.too_large_ = true;
    return 0;
  }
  self.add_header({bytes, length});
  return length;
}

void Exchange::add_header(std::string_view line) {
  if (line.starts_with("HTTP/")) {
    response_.headers.clear();  // those before were of an interim answer
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  response_.headers.emplace_back(lower_case(trimmed(line.substr(0, colon))), trimmed(line.substr(colon + 1)));
}

Result<HttpResponse> Exchange::finish(CURLcode code) {
  if (code == CURLE_OK) {
    long status = 0;
    curl().easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<int>(status);
    return std::move(response_);
  }
  if (too_large_) return fail("too_large", "the answer is larger than allowed");
  // Not libcurl's own sentence: it names the host, which may be a secret.
  std::string message = curl().easy_strerror(code);
  long system_error = 0;
  curl().easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &system_error);
  if (system_error != 0) message += std::string(": ") + std::strerror(static_cast<int>(system_error));
  if (code == CURLE_OPERATION_TIMEDOUT) return fail("timeout", std::move(message));
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
    return fail("invalid_request", std::move(message));
  }
  return fail("unreachable", std::move(message));
}

}  // namespace ganglion
