#include "http.h"

#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <cctype>
#include <cstdlib>
#include <stdexcept>

#include "ganglion/error.h"

namespace ganglion {
namespace {

constexpr long kConnectTimeoutMs = 5'000;
constexpr std::size_t kMaxIdleHandles = 8;
// After a long poll was taken back: how long an answer may take that was already on its way.
constexpr std::chrono::seconds kTakeBack{1};

struct GlobalCurl {
  GlobalCurl() { curl_global_init(CURL_GLOBAL_DEFAULT); }
  ~GlobalCurl() { curl_global_cleanup(); }
};

void ensure_curl() {
  static const GlobalCurl curl;
}

std::string from_environment(const std::string& given, const char* name) {
  if (!given.empty()) return given;
  const char* value = std::getenv(name);
  return value ? value : "";
}

// One request with its answer, on a handle that somebody else owns. Stays where it is while curl works on it.
struct Exchange {
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  std::string body;
  HttpResponse response;
  std::function<bool(std::string_view)> on_bytes = {};
  bool ended_by_caller = false;
  curl_socket_t socket = CURL_SOCKET_BAD;
  char error[CURL_ERROR_SIZE] = {};

  Exchange(CURL* handle, const Endpoint& endpoint, const HttpRequest& request);
  ~Exchange() {
    curl_easy_reset(easy);
    curl_slist_free_all(headers);
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  void add_header(const std::string& line) { headers = curl_slist_append(headers, line.c_str()); }
  void be_a_stream(std::function<bool(std::string_view)> consumer);
  std::string failure_of(CURLcode code) const { return *error ? error : curl_easy_strerror(code); }
};

std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* data) {
  Exchange& exchange = *static_cast<Exchange*>(data);
  const std::string_view line(bytes, size * count);
  if (line.starts_with("HTTP/")) {
    exchange.response.headers.clear();
  } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
    std::string name(line.substr(0, colon));
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
    while (!value.empty() && (value.back() == '\r' || value.back() == '\n')) value.remove_suffix(1);
    exchange.response.headers[name] = value;
  }
  return size * count;
}

std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* data) {
  Exchange& exchange = *static_cast<Exchange*>(data);
  const std::size_t length = size * count;
  long status = 0;
  curl_easy_getinfo(exchange.easy, CURLINFO_RESPONSE_CODE, &status);
  if (exchange.on_bytes && status == 200) {
    if (exchange.on_bytes({bytes, length})) return length;
    exchange.ended_by_caller = true;
    return 0;
  }
  if (exchange.response.body.size() + length > kMaxAnswer) return 0;
  exchange.response.body.append(bytes, length);
  return length;
}

curl_socket_t on_open(void* data, curlsocktype, curl_sockaddr* address) {
  Exchange& exchange = *static_cast<Exchange*>(data);
  exchange.socket = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  return exchange.socket;
}

Exchange::Exchange(CURL* handle, const Endpoint& endpoint, const HttpRequest& request)
    : easy(handle), body(request.body.value_or("")) {
  curl_easy_setopt(easy, CURLOPT_URL, (endpoint.url() + request.path).c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "ganglion-cpp/0.1");
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  if (request.body || request.method != "GET") {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  }
  if (request.repeat == Repeat::never) curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
  add_header("Expect:");
  bool typed = false;
  bool accepts = false;
  for (const auto& [name, value] : request.headers) {
    typed |= name == "Content-Type";
    accepts |= name == "Accept";
    add_header(name + ": " + value);
  }
  if (!typed) add_header(request.body ? "Content-Type: application/json" : "Content-Type:");
  if (!accepts) add_header("Accept: application/json");
  if (!endpoint.token().empty()) add_header("Authorization: Bearer " + endpoint.token());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
}

void Exchange::be_a_stream(std::function<bool(std::string_view)> consumer) {
  on_bytes = std::move(consumer);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 0L);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(kStreamSilence.count()));
}

}  // namespace

Endpoint::Endpoint(const Connection& connection)
    : url_(from_environment(connection.server, "GANGLION_SERVER")),
      token_(from_environment(connection.token, "GANGLION_TOKEN")) {
  if (url_.empty()) url_ = "http://127.0.0.1:7420";
  if (url_.find("://") == std::string::npos) url_ = "http://" + url_;
  while (url_.ends_with('/')) url_.pop_back();
  if (!url_.starts_with("http://") && !url_.starts_with("https://")) {
    throw std::invalid_argument("not an http or https URL: " + url_);
  }
  if (!std::ranges::all_of(token_, [](unsigned char c) { return c > ' ' && c < 0x7f; })) {
    throw std::invalid_argument("the token must be printable ASCII");
  }
}

std::string percent_encoded(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (const unsigned char c : text) {
    if (std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~') {
      encoded += static_cast<char>(c);
    } else {
      encoded += {'%', kHex[c >> 4], kHex[c & 15]};
    }
  }
  return encoded;
}

std::string query(std::initializer_list<std::pair<std::string_view, std::optional<std::string>>> values) {
  std::string text;
  for (const auto& [name, value] : values) {
    if (!value) continue;
    text += text.empty() ? '?' : '&';
    text.append(name).append("=").append(percent_encoded(*value));
  }
  return text;
}

Problem::Problem(int status, std::string code, std::string detail, boost::json::value body,
                 double retry_after_seconds)
    : Error(std::to_string(status) + " " + code + ": " + detail),
      status_(status),
      code_(std::move(code)),
      detail_(std::move(detail)),
      body_(std::move(body)),
      retry_after_seconds_(retry_after_seconds) {}

const std::string& HttpResponse::content() const {
  if (status >= 200 && status < 300) return body;
  boost::json::error_code broken;
  boost::json::value problem = boost::json::parse(body, broken);
  std::string code = "http_" + std::to_string(status);
  std::string detail = "The request failed";
  if (!broken && problem.is_object()) {
    for (const char* field : {"title", "detail"}) {
      if (const auto* text = problem.as_object().if_contains(field); text && text->is_string())
        detail = text->as_string();
    }
    if (const auto* text = problem.as_object().if_contains("code"); text && text->is_string())
      code = text->as_string();
  }
  const auto after = headers.find("retry-after");
  const double pause = after == headers.end() ? 0.0 : std::max(0.0, std::atof(after->second.c_str()));
  throw Problem(status, code, detail, broken ? boost::json::value() : std::move(problem), pause);
}

boost::json::value HttpResponse::json() const {
  const std::string& text = content();
  if (text.empty()) return nullptr;
  boost::json::error_code broken;
  // Values are as deep as the server allows, which is more than the parser's default.
  boost::json::value value = boost::json::parse(text, broken, {}, {.max_depth = 256});
  if (broken) throw Problem(502, "malformed_answer", "the answer is not JSON: " + broken.message(), nullptr);
  return value;
}

Http::Http(const Connection& connection) : endpoint_(connection) {
  ensure_curl();
}

Http::~Http() {
  for (void* handle : idle_) curl_easy_cleanup(handle);
}

void* Http::take() {
  {
    const std::scoped_lock lock(mutex_);
    if (!idle_.empty()) {
      void* handle = idle_.back();
      idle_.pop_back();
      return handle;
    }
  }
  void* handle = curl_easy_init();
  if (!handle) throw std::bad_alloc();
  return handle;
}

void Http::give_back(void* handle) {
  {
    const std::scoped_lock lock(mutex_);
    if (idle_.size() < kMaxIdleHandles) return idle_.push_back(handle);
  }
  curl_easy_cleanup(handle);
}

HttpResponse Http::send(const HttpRequest& request) {
  return stream(request, {});
}

HttpResponse Http::stream(const HttpRequest& request, const std::function<bool(std::string_view)>& on_bytes) {
  const std::unique_ptr<void, std::function<void(void*)>> handle(take(),
                                                                 [this](void* used) { give_back(used); });
  std::exception_ptr thrown;  // by `on_bytes`, which curl must not see
  Exchange exchange(handle.get(), endpoint_, request);
  if (on_bytes) {
    exchange.be_a_stream([&](std::string_view bytes) {
      try {
        return on_bytes(bytes);
      } catch (...) {
        thrown = std::current_exception();
        return false;
      }
    });
  }
  const CURLcode code = curl_easy_perform(exchange.easy);
  if (thrown) std::rethrow_exception(thrown);
  if (code != CURLE_OK && !exchange.ended_by_caller) {
    throw Unavailable(endpoint_.url() + ": " + exchange.failure_of(code));
  }
  long status = 0;
  curl_easy_getinfo(exchange.easy, CURLINFO_RESPONSE_CODE, &status);
  exchange.response.status = static_cast<int>(status);
  return std::move(exchange.response);
}

struct HttpLoop::Parts {
  struct Entry {
    std::unique_ptr<Exchange> exchange;
    Done done;
    Ticket ticket = 0;
    std::optional<std::chrono::steady_clock::time_point> end = {};  // of one that was taken back
  };

  Endpoint endpoint;
  CURLM* multi;
  Ticket last_ticket = 0;
  std::vector<Entry> entries = {};

  Ticket add(const HttpRequest& request, Done done) {
    CURL* easy = curl_easy_init();
    if (!easy) throw std::bad_alloc();
    entries.push_back({std::make_unique<Exchange>(easy, endpoint, request), std::move(done), ++last_ticket});
    curl_multi_add_handle(multi, easy);
    return last_ticket;
  }

  // Takes the entry out before it calls `done`, which may add others.
  void finish(CURL* easy, CURLcode code, std::string failure) {
    const auto at =
        std::ranges::find_if(entries, [&](const Entry& entry) { return entry.exchange->easy == easy; });
    Entry entry = std::move(*at);
    entries.erase(at);
    HttpOutcome outcome;
    if (failure.empty() && code == CURLE_OK) {
      long status = 0;
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
      outcome.response = std::move(entry.exchange->response);
      outcome.response->status = static_cast<int>(status);
    } else {
      outcome.failure =
          endpoint.url() + ": " + (failure.empty() ? entry.exchange->failure_of(code) : failure);
    }
    curl_multi_remove_handle(multi, easy);
    entry.exchange.reset();
    curl_easy_cleanup(easy);
    entry.done(std::move(outcome));
  }
};

HttpLoop::HttpLoop(const Connection& connection) {
  ensure_curl();
  parts_ = std::make_unique<Parts>(Endpoint(connection), curl_multi_init());
}

HttpLoop::~HttpLoop() {
  for (auto& entry : parts_->entries) {
    CURL* easy = entry.exchange->easy;
    curl_multi_remove_handle(parts_->multi, easy);
    entry.exchange.reset();
    curl_easy_cleanup(easy);
  }
  curl_multi_cleanup(parts_->multi);
}

void HttpLoop::send(const HttpRequest& request, Done done) {
  parts_->add(request, std::move(done));
}

HttpLoop::Ticket HttpLoop::send_long_poll(const HttpRequest& request, Done done) {
  const Ticket ticket = parts_->add(request, std::move(done));
  // A connection of its own: the one thing that can be closed halfway without harm to anything else.
  Exchange& exchange = *parts_->entries.back().exchange;
  curl_easy_setopt(exchange.easy, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(exchange.easy, CURLOPT_FORBID_REUSE, 1L);
  curl_easy_setopt(exchange.easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
  curl_easy_setopt(exchange.easy, CURLOPT_OPENSOCKETDATA, &exchange);
  return ticket;
}

void HttpLoop::take_back(Ticket ticket) {
  for (auto& entry : parts_->entries) {
    if (entry.ticket != ticket || entry.end) continue;
    entry.end = std::chrono::steady_clock::now() + kTakeBack;
    if (entry.exchange->socket != CURL_SOCKET_BAD) ::shutdown(entry.exchange->socket, SHUT_WR);
  }
}

void HttpLoop::turn(std::chrono::milliseconds at_most, int wake_descriptor) {
  using namespace std::chrono;
  int count = 0;
  curl_multi_perform(parts_->multi, &count);
  std::vector<std::pair<CURL*, CURLcode>> ended;
  while (const CURLMsg* message = curl_multi_info_read(parts_->multi, &count)) {
    if (message->msg == CURLMSG_DONE) ended.emplace_back(message->easy_handle, message->data.result);
  }
  for (const auto& [easy, code] : ended) parts_->finish(easy, code, "");

  const auto now = steady_clock::now();
  std::vector<CURL*> late;
  for (const auto& entry : parts_->entries) {
    if (!entry.end) continue;
    if (*entry.end <= now) late.push_back(entry.exchange->easy);
    at_most = std::clamp(ceil<milliseconds>(*entry.end - now), milliseconds(0), at_most);
  }
  for (CURL* easy : late) parts_->finish(easy, CURLE_OK, "taken back");

  if (!ended.empty() || !late.empty()) return;
  curl_waitfd wake{wake_descriptor, CURL_WAIT_POLLIN, 0};
  curl_multi_poll(parts_->multi, &wake, 1, static_cast<int>(at_most.count()), nullptr);
}

}  // namespace ganglion
