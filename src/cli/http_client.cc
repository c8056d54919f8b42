#include "cli/http_client.h"

#include <array>
#include <chrono>
#include <memory>

#include "base/assert.h"
#include "base/curl/lib_curl.h"

namespace ganglion::cli {
namespace {

constexpr long kConnectTimeoutMs = 5'000;
// A stream says something (a comment at least) more often than this, or its connection is dead.
constexpr long kStreamSilenceSeconds = 60;

struct FreeHeaders {
  void operator()(curl_slist* list) const { curl().slist_free_all(list); }
};
using Headers = std::unique_ptr<curl_slist, FreeHeaders>;

// Where the bytes of one exchange go.
struct Sink {
  CURL* easy;
  HttpAnswer answer;
  const StreamWatcher* watcher = nullptr;
  bool stopped = false;
  bool too_large = false;

  std::size_t take(std::string_view bytes) {
    curl().easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer.status);
    if (watcher != nullptr && answer.status == 200) {
      stopped = !watcher->on_bytes(bytes);
      return stopped ? 0 : bytes.size();
    }
    too_large = answer.body.size() + bytes.size() > kMaxAnswer;
    if (too_large) return 0;
    answer.body += bytes;
    return bytes.size();
  }
};

std::size_t on_write(char* data, std::size_t, std::size_t size, void* sink) {
  return static_cast<Sink*>(sink)->take(std::string_view(data, size));
}

bool is_loopback(const std::string& url) {
  return url.starts_with("http://127.") || url.starts_with("http://localhost") ||
         url.starts_with("http://[::1]");
}

Headers header_list(const HttpRequest& request) {
  Headers list;
  const auto add = [&](const std::string& line) {
    auto* longer = curl().slist_append(list.get(), line.c_str());
    GANGLION_ASSERT(longer != nullptr);
    static_cast<void>(list.release());
    list.reset(longer);
  };
  for (const auto& [name, value] : request.headers) add(name + ": " + value);
  add("Expect:");  // a body is sent at once
  return list;
}

void prepare(CURL* easy, const HttpRequest& request, const Headers& headers, Sink& sink, char* error) {
  curl().easy_reset(easy);
  curl().easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl().easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl().easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl().easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  curl().easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl().easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl().easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  curl().easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
  curl().easy_setopt(easy, CURLOPT_WRITEDATA, &sink);
  curl().easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
  // A proxy for the world outside would look for this machine's loopback on its own.
  if (is_loopback(request.url)) curl().easy_setopt(easy, CURLOPT_PROXY, "");
  const bool has_body = request.body.has_value() || request.method == "POST" || request.method == "PUT";
  if (has_body) {
    const std::string_view body = request.body ? std::string_view(*request.body) : std::string_view();
    curl().easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl().easy_setopt(easy, CURLOPT_POSTFIELDS, body.empty() ? "" : body.data());
  }
}

Error error_of(CURLcode code, const char* detail, const HttpRequest& request) {
  const std::string why = *detail != '\0' ? detail : curl().easy_strerror(code);
  switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
      return {"unreachable", why};
    case CURLE_OPERATION_TIMEDOUT:
      return {"timeout", "no answer to " + request.method + " within " +
                             std::to_string(request.timeout.count()) + " ms"};
    default:
      return {"connection_lost", why};
  }
}

Result<HttpAnswer> outcome(CURLcode code, const char* detail, const HttpRequest& request, Sink& sink) {
  if (sink.too_large)
    return fail("too_large", "the answer has more than " + std::to_string(kMaxAnswer) + " bytes");
  if (code != CURLE_OK && !sink.stopped) return std::unexpected(error_of(code, detail, request));
  curl().easy_getinfo(sink.easy, CURLINFO_RESPONSE_CODE, &sink.answer.status);
  return std::move(sink.answer);
}

}  // namespace

struct HttpClient::Handles {
  CURL* easy = curl().easy_init();
  CURLM* multi = curl().multi_init();

  ~Handles() {
    curl().easy_cleanup(easy);
    curl().multi_cleanup(multi);
  }
};

HttpClient::HttpClient() {
  if (!load_curl()) return;
  handles_ = std::make_unique<Handles>();
  GANGLION_ASSERT(handles_->easy != nullptr && handles_->multi != nullptr);
}

HttpClient::~HttpClient() = default;

Result<HttpAnswer> HttpClient::send(const HttpRequest& request) {
  if (!handles_) return std::unexpected(load_curl().error());
  std::array<char, CURL_ERROR_SIZE> detail{};
  Sink sink{.easy = handles_->easy, .answer = {}};
  const Headers headers = header_list(request);
  prepare(handles_->easy, request, headers, sink, detail.data());
  curl().easy_setopt(handles_->easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  const CURLcode code = curl().easy_perform(handles_->easy);
  return outcome(code, detail.data(), request, sink);
}

Result<HttpAnswer> HttpClient::stream(const HttpRequest& request, const StreamWatcher& watcher) {
  if (!handles_) return std::unexpected(load_curl().error());
  std::array<char, CURL_ERROR_SIZE> detail{};
  Sink sink{.easy = handles_->easy, .answer = {}, .watcher = &watcher};
  const Headers headers = header_list(request);
  prepare(handles_->easy, request, headers, sink, detail.data());
  curl().easy_setopt(handles_->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl().easy_setopt(handles_->easy, CURLOPT_LOW_SPEED_TIME, kStreamSilenceSeconds);

  // The multi interface only for its poll, which also looks at the watcher's descriptor and at the clock.
  CURLM* multi = handles_->multi;
  curl().multi_add_handle(multi, handles_->easy);
  CURLcode code = CURLE_OK;
  for (int running = 1; running > 0 && !sink.stopped;) {
    if (curl().multi_perform(multi, &running) != CURLM_OK) break;
    int left = 0;
    while (const CURLMsg* message = curl().multi_info_read(multi, &left)) {
      if (message->msg == CURLMSG_DONE) code = message->data.result;
    }
    if (!watcher.on_tick()) sink.stopped = true;
    if (running == 0 || sink.stopped) break;
    curl_waitfd wake{.fd = watcher.wake_descriptor, .events = CURL_WAIT_POLLIN, .revents = 0};
    curl().multi_poll(multi, &wake, watcher.wake_descriptor >= 0 ? 1 : 0,
                      static_cast<int>(watcher.tick.count()), nullptr);
  }
  auto result = outcome(code, detail.data(), request, sink);
  curl().multi_remove_handle(multi, handles_->easy);
  return result;
}

}  // namespace ganglion::cli
