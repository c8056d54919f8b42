#include "adapters/nats/connection.h"

#include <array>
#include <deque>
#include <unordered_map>
#include <utility>

#include "adapters/nats/fresh_id.h"
#include "base/asio/asio.h"

namespace ganglion::nats {
namespace {

using Steady = std::chrono::steady_clock;
using boost::system::error_code;
using LoopResolver = asio::ip::basic_resolver<asio::ip::tcp, LoopExecutor>;

constexpr std::size_t kReadBytes = 64 << 10;

}  // namespace

// Shared with the handlers that wait in Asio; ends when the connection lets go of it and they have come back.
class Connection::Stream : public std::enable_shared_from_this<Stream> {
 public:
  Stream(asio::io_context& context, const Url& url)
      : context_(context), url_(url), socket_(context.get_executor()), resolver_(context.get_executor()) {}

  void open(Events events) {
    events_ = std::move(events);
    resolver_.async_resolve(url_.host.host, std::to_string(url_.host.port),
                            [self = shared_from_this()](error_code error, auto found) {
                              if (self->closed_) return;
                              if (error) return self->end(error.message());
                              auto first = found.begin();
                              self->connect(std::move(found), std::move(first));
                            });
  }

  SubscriptionId subscribe(std::string_view subject, Handler handler, std::string_view group) {
    if (closed_) return 0;
    handlers_.emplace(++last_subscription_, std::make_shared<Handler>(std::move(handler)));
    append_subscribe(waiting_, subject, group, last_subscription_);
    write_soon();
    return last_subscription_;
  }

  void unsubscribe(SubscriptionId subscription) {
    if (closed_ || handlers_.erase(subscription) == 0) return;
    append_unsubscribe(waiting_, subscription);
    write_soon();
  }

  void publish(std::string_view subject, std::string_view reply, std::string_view headers,
               std::string_view body) {
    if (closed_) return;
    append_publish(waiting_, subject, reply, headers, body);
    write_soon();
  }

  void round_trip(std::move_only_function<void()> done) {
    if (closed_) return;
    round_trips_.push_back(std::move(done));
    waiting_ += kPing;
    write_soon();
  }

  const std::string& inbox() const { return inbox_; }
  const ServerInfo& info() const { return info_; }
  const std::string& complaint() const { return complaint_; }
  std::size_t backlog() const { return waiting_.size() + writing_.size(); }
  std::chrono::milliseconds silence() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - heard_);
  }

  void close() {
    closed_ = true;
    resolver_.cancel();
    error_code ignored;
    socket_.close(ignored);
    handlers_.clear();
    round_trips_.clear();
    events_ = {};
  }

 private:
  using Found = LoopResolver::results_type;

  // One address of the name after the other.
  void connect(Found found, Found::iterator next) {
    error_code ignored;
    socket_.close(ignored);
    const asio::ip::tcp::endpoint endpoint = next->endpoint();
    socket_.async_connect(endpoint, [self = shared_from_this(), found = std::move(found),
                                     next = std::move(next)](error_code error) mutable {
      if (self->closed_) return;
      if (!error) return self->begin();
      if (++next == Found::iterator()) return self->end(error.message());
      self->connect(std::move(found), std::move(next));
    });
  }

  void begin() {
    error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket_.set_option(asio::socket_base::keep_alive(true), ignored);
    heard_ = Steady::now();
    read();
  }

  void write_soon() {
    if (!writing_.empty() || std::exchange(write_is_due_, true)) return;
    asio::post(context_, [self = shared_from_this()] {
      self->write_is_due_ = false;
      if (!self->closed_ && self->writing_.empty()) self->write();
    });
  }

  void write() {
    writing_.swap(waiting_);
    asio::async_write(socket_, asio::buffer(writing_),
                      [self = shared_from_this()](error_code error, std::size_t) {
                        if (self->closed_) return;
                        if (error) return self->end(error.message());
                        self->writing_.clear();
                        if (!self->waiting_.empty()) self->write();
                      });
  }

  void read() {
    socket_.async_read_some(asio::buffer(buffer_),
                            [self = shared_from_this()](error_code error, std::size_t size) {
                              if (self->closed_) return;
                              if (error) return self->end(error.message());
                              self->heard_ = Steady::now();
                              self->reader_.append({self->buffer_.data(), size});
                              self->take();
                              if (!self->closed_) self->read();
                            });
  }

  // Anything that is heard may end the connection.
  void take() {
    while (!closed_) {
      Incoming incoming;
      const Reader::Found found = reader_.next(incoming);
      if (found == Reader::Found::nonsense) return end("it doesn't speak NATS' protocol");
      if (found == Reader::Found::nothing_yet) return;
      hear(incoming);
    }
  }

  void hear(const Incoming& incoming) {
    switch (incoming.kind) {
      case Incoming::Kind::message:
        return hand_over(incoming);
      case Incoming::Kind::info:
        return introduce(server_info_of(incoming.text));
      case Incoming::Kind::ping:
        waiting_ += kPong;
        return write_soon();
      case Incoming::Kind::pong:
        return come_round();
      case Incoming::Kind::error:
        complaint_ = incoming.text;
        if (!opened_) end(complaint_, complaint_.contains("Authorization"));
        return;
      case Incoming::Kind::fine:
        return;
    }
  }

  // It is said again whenever something about the server changes.
  void introduce(ServerInfo info) {
    const bool first = info_.version.empty();
    info_ = std::move(info);
    if (!first) return;
    if (const auto usable = check(info_); !usable) return end(usable.error().message, true);
    append_connect(waiting_, introduction(url_));
    round_trip([this] {
      opened_ = true;
      std::exchange(events_.opened, nullptr)();
    });
  }

  void come_round() {
    if (round_trips_.empty()) return;
    auto done = std::move(round_trips_.front());
    round_trips_.pop_front();
    done();
  }

  // The handler may unsubscribe, or end everything.
  void hand_over(const Incoming& incoming) {
    const auto found = handlers_.find(incoming.subscription);
    if (found == handlers_.end()) return events_.stray(incoming);
    const std::shared_ptr<Handler> handler = found->second;
    (*handler)(incoming);
  }

  void end(const std::string& reason, bool refused = false) {
    auto ended = std::move(events_.ended);
    std::string why = url_.host.text() + ": " + reason;
    // The server says what is wrong before it closes.
    if (!complaint_.empty() && complaint_ != reason) why += ", after it said " + complaint_;
    close();
    if (ended) ended({.reason = std::move(why), .refused = refused});
  }

  asio::io_context& context_;
  const Url& url_;
  LoopSocket socket_;
  LoopResolver resolver_;
  Events events_;
  Reader reader_;
  ServerInfo info_;
  std::string complaint_;
  const std::string inbox_ = "_INBOX." + fresh_id();
  std::unordered_map<SubscriptionId, std::shared_ptr<Handler>> handlers_;
  SubscriptionId last_subscription_ = 0;
  std::deque<std::move_only_function<void()>> round_trips_;
  std::string waiting_;
  std::string writing_;
  bool write_is_due_ = false;
  std::array<char, kReadBytes> buffer_;
  Steady::time_point heard_ = Steady::now();
  bool opened_ = false;
  bool closed_ = false;
};

Connection::Connection(asio::io_context& context, const Url& url)
    : stream_(std::make_shared<Stream>(context, url)) {}

Connection::~Connection() {
  stream_->close();
}

void Connection::open(Events events) {
  stream_->open(std::move(events));
}

SubscriptionId Connection::subscribe(std::string_view subject, Handler handler, std::string_view group) {
  return stream_->subscribe(subject, std::move(handler), group);
}

void Connection::unsubscribe(SubscriptionId subscription) {
  stream_->unsubscribe(subscription);
}

void Connection::publish(std::string_view subject, std::string_view reply, std::string_view headers,
                         std::string_view body) {
  stream_->publish(subject, reply, headers, body);
}

void Connection::round_trip(std::move_only_function<void()> done) {
  stream_->round_trip(std::move(done));
}

const std::string& Connection::inbox() const {
  return stream_->inbox();
}

const ServerInfo& Connection::info() const {
  return stream_->info();
}

const std::string& Connection::complaint() const {
  return stream_->complaint();
}

std::size_t Connection::backlog() const {
  return stream_->backlog();
}

std::chrono::milliseconds Connection::silence() const {
  return stream_->silence();
}

}  // namespace ganglion::nats
