#include "adapters/curl/curl_http_client.h"

#include <map>
#include <utility>

#include "adapters/curl/exchange.h"
#include "base/asio/asio.h"
#include "base/assert.h"

namespace ganglion {
namespace {

using boost::system::error_code;

// A socket that libcurl owns and waits for. Ends when libcurl doesn't need it watched any more; a wait that
// comes back after that finds its weak pointer empty.
struct Watch {
  Watch(asio::io_context& loop, curl_socket_t socket) : stream(loop.get_executor(), socket) {}
  ~Watch() { let_go(); }
  // libcurl closes the socket itself; from then on the number may be another socket's.
  void let_go() {
    if (stream.is_open()) stream.release();
  }

  asio::posix::basic_stream_descriptor<LoopExecutor> stream;
  int wanted = 0;  // CURL_POLL_IN, CURL_POLL_OUT or both
  bool reading = false;
  bool writing = false;
};

}  // namespace

class CurlHttpClient::Multi {
 public:
  explicit Multi(asio::io_context& loop)
      : loop_(loop), timer_(loop.get_executor()), multi_(curl().multi_init()) {
    GANGLION_ASSERT(multi_);
    curl().multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Multi::watch_socket);
    curl().multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl().multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Multi::set_timer);
    curl().multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  }

  ~Multi() {
    for (auto& [id, exchange] : exchanges_) curl().multi_remove_handle(multi_, exchange->easy());
    watches_.clear();
    curl().multi_cleanup(multi_);
  }

  HttpCallId send(HttpRequest request, Completion done) {
    const HttpCallId id = next_id_;
    next_id_ = next_id_.next();
    auto exchange = std::make_unique<Exchange>(id, std::move(request), std::move(done));
    Exchange& started = *exchange;
    exchanges_.emplace(id, std::move(exchange));
    if (const Result<void> prepared = started.prepare(); !prepared) {
      asio::post(loop_, [this, id, error = prepared.error(), alive = std::weak_ptr(alive_)] {
        if (!alive.expired()) refuse(id, error);
      });
      return id;
    }
    GANGLION_ASSERT(curl().multi_add_handle(multi_, started.easy()) == CURLM_OK);
    return id;
  }

  void cancel(HttpCallId id) {
    const auto node = exchanges_.extract(id);
    if (!node.empty()) curl().multi_remove_handle(multi_, node.mapped()->easy());
  }

 private:
  static int watch_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
    static_cast<Multi*>(self)->watch(socket, what);
    return 0;
  }

  static int set_timer(CURLM*, long timeout_ms, void* self) {
    static_cast<Multi*>(self)->arm_timer(timeout_ms);
    return 0;
  }

  void watch(curl_socket_t socket, int what) {
    if (what == CURL_POLL_REMOVE) {
      const auto node = watches_.extract(socket);
      if (!node.empty()) node.mapped()->let_go();
      return;
    }
    std::shared_ptr<Watch>& watch = watches_[socket];
    if (!watch) watch = std::make_shared<Watch>(loop_, socket);
    watch->wanted = what;
    wait(socket, watch);
  }

  void wait(curl_socket_t socket, const std::shared_ptr<Watch>& watch) {
    if ((watch->wanted & CURL_POLL_IN) && !watch->reading) {
      watch->reading = true;
      watch->stream.async_wait(
          asio::posix::descriptor_base::wait_read,
          [this, socket, weak = std::weak_ptr(watch)](error_code) { ready(socket, weak, CURL_CSELECT_IN); });
    }
    if ((watch->wanted & CURL_POLL_OUT) && !watch->writing) {
      watch->writing = true;
      watch->stream.async_wait(
          asio::posix::descriptor_base::wait_write,
          [this, socket, weak = std::weak_ptr(watch)](error_code) { ready(socket, weak, CURL_CSELECT_OUT); });
    }
  }

  void ready(curl_socket_t socket, const std::weak_ptr<Watch>& weak, int event) {
    const std::shared_ptr<Watch> watch = weak.lock();
    if (!watch) return;  // and maybe the client with it
    (event == CURL_CSELECT_IN ? watch->reading : watch->writing) = false;
    act(socket, event);
    // act() may have ended the watch or the client; both end the map's share.
    if (watch.use_count() > 1) wait(socket, watch);
  }

  void arm_timer(long timeout_ms) {
    timer_.cancel();
    if (timeout_ms < 0) return;
    timer_.expires_after(std::chrono::milliseconds(timeout_ms));
    timer_.async_wait([this, alive = std::weak_ptr(alive_)](error_code cancelled) {
      if (!cancelled && !alive.expired()) act(CURL_SOCKET_TIMEOUT, 0);
    });
  }

  void act(curl_socket_t socket, int event) {
    int running = 0;
    curl().multi_socket_action(multi_, socket, event, &running);
    const std::weak_ptr alive = alive_;
    int queued = 0;
    // One at a time: a completion may cancel other calls or end the client.
    while (!alive.expired()) {
      const CURLMsg* message = curl().multi_info_read(multi_, &queued);
      if (!message) return;
      if (message->msg != CURLMSG_DONE) continue;
      finish(message->easy_handle, message->data.result);
    }
  }

  void finish(CURL* easy, CURLcode code) {
    Exchange* known = nullptr;
    curl().easy_getinfo(easy, CURLINFO_PRIVATE, &known);
    const auto node = exchanges_.extract(known->id());
    Exchange& exchange = *node.mapped();
    Result<HttpResponse> response = exchange.finish(code);
    curl().multi_remove_handle(multi_, easy);
    exchange.take_completion()(std::move(response));
  }

  void refuse(HttpCallId id, const Error& error) {
    const auto node = exchanges_.extract(id);
    if (!node.empty()) node.mapped()->take_completion()(std::unexpected(error));
  }

  asio::io_context& loop_;
  LoopTimer timer_;
  CURLM* multi_;
  HttpCallId next_id_{1};
  std::map<HttpCallId, std::unique_ptr<Exchange>> exchanges_;
  std::map<curl_socket_t, std::shared_ptr<Watch>> watches_;
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
};

CurlHttpClient::CurlHttpClient(asio::io_context& loop) : loop_(loop) {}

CurlHttpClient::~CurlHttpClient() = default;

HttpCallId CurlHttpClient::send(HttpRequest request, Completion done) {
  if (!load_curl()) return refuse(std::move(done));
  if (!multi_) multi_ = std::make_unique<Multi>(loop_);
  return multi_->send(std::move(request), std::move(done));
}

void CurlHttpClient::cancel(HttpCallId call) {
  if (multi_) return multi_->cancel(call);
  refused_->erase(call);
}

HttpCallId CurlHttpClient::refuse(Completion done) {
  const HttpCallId id = next_refused_;
  next_refused_ = next_refused_.next();
  refused_->emplace(id, std::move(done));
  asio::post(loop_, [id, calls = std::weak_ptr(refused_)] {
    const auto alive = calls.lock();
    if (!alive) return;
    auto node = alive->extract(id);
    if (!node.empty()) node.mapped()(std::unexpected(load_curl().error()));
  });
  return id;
}

}  // namespace ganglion
