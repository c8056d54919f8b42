#include "adapters/redis/connection.h"

#include <hiredis/hiredis.h>

#include <array>
#include <deque>
#include <utility>

#include "base/asio/asio.h"

namespace ganglion::redis {
namespace {

using Steady = std::chrono::steady_clock;
using boost::system::error_code;
using LoopResolver = asio::ip::basic_resolver<asio::ip::tcp, LoopExecutor>;

constexpr std::size_t kReadBytes = 64 << 10;
constexpr std::size_t kWriteBytes = 256 << 10;  // at a time

Reply reply_of(const redisReply& reply) {
  Reply copy;
  switch (reply.type) {
    case REDIS_REPLY_NIL:
      return copy;
    case REDIS_REPLY_INTEGER:
      copy.kind = Reply::Kind::integer;
      copy.integer = reply.integer;
      return copy;
    case REDIS_REPLY_ARRAY:
      copy.kind = Reply::Kind::array;
      copy.elements.reserve(reply.elements);
      for (std::size_t i = 0; i < reply.elements; ++i) copy.elements.push_back(reply_of(*reply.element[i]));
      return copy;
    case REDIS_REPLY_ERROR:
      copy.kind = Reply::Kind::error;
      break;
    default:
      copy.kind = Reply::Kind::text;
  }
  copy.text.assign(reply.str, reply.len);
  return copy;
}

}  // namespace

// Shared with the handlers that wait in Asio; ends when the connection lets go of it and they have come back.
class Connection::Stream : public std::enable_shared_from_this<Stream> {
 public:
  explicit Stream(asio::io_context& context)
      : socket_(context.get_executor()), resolver_(context.get_executor()), reader_(redisReaderCreate()) {}
  ~Stream() { redisReaderFree(reader_); }

  void open(const Address& address, std::move_only_function<void()> connected,
            std::move_only_function<void(std::string)> ended) {
    address_ = address.text();
    connected_ = std::move(connected);
    ended_ = std::move(ended);
    resolver_.async_resolve(address.host, std::to_string(address.port),
                            [self = shared_from_this()](error_code error, auto found) {
                              if (self->closed_) return;
                              if (error) return self->end(error);
                              auto first = found.begin();
                              self->connect(std::move(found), std::move(first));
                            });
  }

  void send(std::string_view bytes, Answer answer) {
    if (closed_) return;
    if (answers_.empty()) heard_ = Steady::now();
    answers_.push_back(std::move(answer));
    say(bytes);
  }

  void hear(std::function<void(Reply)> heard) {
    if (!closed_) subscriber_ = std::make_shared<std::function<void(Reply)>>(std::move(heard));
  }

  void say(std::string_view bytes) {
    if (closed_) return;
    waiting_ += bytes;
    if (writing_.empty()) write();
  }

  std::chrono::milliseconds silence() const {
    if (answers_.empty()) return std::chrono::milliseconds(0);
    return std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - heard_);
  }

  void close() {
    closed_ = true;
    resolver_.cancel();
    error_code ignored;
    socket_.close(ignored);
    answers_.clear();
    connected_ = nullptr;
    ended_ = nullptr;
    subscriber_.reset();
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
      if (++next == Found::iterator()) return self->end(error);
      self->connect(std::move(found), std::move(next));
    });
  }

  void begin() {
    error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket_.set_option(asio::socket_base::keep_alive(true), ignored);
    read();
    std::exchange(connected_, nullptr)();
  }

  void write() {
    writing_.swap(waiting_);
    // Each time that the server has taken a part of much, it has been heard of. Little says nothing: that goes
    // into a connection that leads nowhere, too.
    const auto as_much_as_it_takes = [this](error_code error, std::size_t taken) {
      if (taken >= kWriteBytes) heard_ = Steady::now();
      return error ? 0 : kWriteBytes;
    };
    asio::async_write(socket_, asio::buffer(writing_), as_much_as_it_takes,
                      [self = shared_from_this()](error_code error, std::size_t) {
                        if (self->closed_) return;
                        if (error) return self->end(error);
                        self->writing_.clear();
                        if (!self->waiting_.empty()) self->write();
                      });
  }

  void read() {
    socket_.async_read_some(asio::buffer(buffer_),
                            [self = shared_from_this()](error_code error, std::size_t bytes) {
                              if (self->closed_) return;
                              if (error) return self->end(error);
                              self->heard_ = Steady::now();
                              redisReaderFeed(self->reader_, self->buffer_.data(), bytes);
                              self->deliver();
                              if (!self->closed_) self->read();
                            });
  }

  // An answer may end the connection.
  void deliver() {
    while (!closed_) {
      void* found = nullptr;
      if (redisReaderGetReply(reader_, &found) != REDIS_OK) return end("it sends what is no answer of Redis");
      if (found == nullptr) return;
      const std::unique_ptr<void, decltype(&freeReplyObject)> reply(found, freeReplyObject);
      if (const auto subscriber = subscriber_) {
        (*subscriber)(reply_of(*static_cast<const redisReply*>(found)));
        continue;
      }
      if (answers_.empty()) return end("it answers what wasn't asked");
      Answer answer = std::move(answers_.front());
      answers_.pop_front();
      answer(reply_of(*static_cast<const redisReply*>(found)));
    }
  }

  void end(const error_code& error) { end(error.message()); }
  void end(const std::string& reason) {
    auto ended = std::exchange(ended_, nullptr);
    close();
    if (ended) ended(address_ + ": " + reason);
  }

  LoopSocket socket_;
  LoopResolver resolver_;
  redisReader* reader_;
  std::string address_;
  std::move_only_function<void()> connected_;
  std::move_only_function<void(std::string)> ended_;
  std::deque<Answer> answers_;
  std::shared_ptr<std::function<void(Reply)>> subscriber_;
  std::string waiting_;
  std::string writing_;
  std::array<char, kReadBytes> buffer_;
  Steady::time_point heard_;
  bool closed_ = false;
};

Connection::Connection(asio::io_context& context) : stream_(std::make_shared<Stream>(context)) {}

Connection::~Connection() {
  stream_->close();
}

void Connection::open(const Address& address, std::move_only_function<void()> connected,
                      std::move_only_function<void(std::string)> ended) {
  stream_->open(address, std::move(connected), std::move(ended));
}

void Connection::send(std::string_view bytes, Answer answer) {
  stream_->send(bytes, std::move(answer));
}

void Connection::hear(std::function<void(Reply)> heard) {
  stream_->hear(std::move(heard));
}

void Connection::say(std::string_view bytes) {
  stream_->say(bytes);
}

std::chrono::milliseconds Connection::silence() const {
  return stream_->silence();
}

}  // namespace ganglion::redis
