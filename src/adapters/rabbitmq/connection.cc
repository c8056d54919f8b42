#include "adapters/rabbitmq/connection.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "adapters/rabbitmq/handshake.h"
#include "base/asio/asio.h"

namespace ganglion::rabbitmq {
namespace {

using Steady = std::chrono::steady_clock;
using boost::system::error_code;
using LoopResolver = asio::ip::basic_resolver<asio::ip::tcp, LoopExecutor>;

constexpr std::size_t kReadBytes = 64 << 10;

bool carries_content(amqp_method_number_t method) {
  return method == AMQP_BASIC_DELIVER_METHOD || method == AMQP_BASIC_GET_OK_METHOD ||
         method == AMQP_BASIC_RETURN_METHOD;
}

}  // namespace

// Shared with the handlers that wait in Asio; ends when the connection lets go of it and they have come back.
class Connection::Stream : public std::enable_shared_from_this<Stream> {
 public:
  Stream(asio::io_context& context, const Url& url)
      : socket_(context.get_executor()), resolver_(context.get_executor()), handshake_(url) {}

  void open(const HostPort& host, std::chrono::milliseconds silence, Events events) {
    host_ = host.text();
    events_ = std::move(events);
    handshake_.ask_for_heartbeats(silence);
    resolver_.async_resolve(host.host, std::to_string(host.port),
                            [self = shared_from_this()](error_code error, auto found) {
                              if (self->closed_) return;
                              if (error) return self->end(error.message());
                              auto first = found.begin();
                              self->connect(std::move(found), std::move(first));
                            });
  }

  Channel open_channel(Handler handler) {
    if (closed_) return 0;
    Channel channel = 1;
    while (channels_.contains(channel)) ++channel;
    if (channel > handshake_.channel_max()) return 0;
    channels_[channel].handler = std::make_shared<Handler>(std::move(handler));
    std::string bytes;
    append_method(bytes, channel, AMQP_CHANNEL_OPEN_METHOD, amqp_channel_open_t{});
    write(bytes);
    return channel;
  }

  // Its number is free again once the broker has answered.
  void close_channel(Channel channel) {
    const auto found = channels_.find(channel);
    if (closed_ || found == channels_.end() || !found->second.handler) return;
    found->second.handler.reset();
    std::string bytes;
    amqp_channel_close_t close{};
    close.reply_code = AMQP_REPLY_SUCCESS;
    append_method(bytes, channel, AMQP_CHANNEL_CLOSE_METHOD, close);
    write(bytes);
  }

  void write(std::string_view frames) {
    if (closed_) return;
    waiting_ += frames;
    if (writing_.empty()) write_on();
  }

  std::size_t backlog() const { return waiting_.size() + writing_.size(); }
  std::size_t frame_max() const { return handshake_.frame_max(); }

  void tick() {
    if (!handshake_.done() || closed_) return;
    if (Steady::now() - spoke_ < handshake_.heartbeat() / 2 || !writing_.empty()) return;
    std::string bytes;
    append_heartbeat(bytes);
    write(bytes);
  }

  std::chrono::milliseconds silence() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - heard_);
  }

  void close() {
    closed_ = true;
    resolver_.cancel();
    error_code ignored;
    socket_.close(ignored);
    channels_.clear();
    events_ = {};
  }

 private:
  using Found = LoopResolver::results_type;
  struct Assembly {
    amqp_method_t method;
    std::optional<Content> content;  // once its header is there
  };
  struct OpenChannel {
    std::shared_ptr<Handler> handler;  // none while it is being closed
    std::optional<Assembly> assembly;
  };

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
    heard_ = spoke_ = Steady::now();
    read();
    write(kProtocolHeader);
  }

  void write_on() {
    writing_.swap(waiting_);
    asio::async_write(socket_, asio::buffer(writing_),
                      [self = shared_from_this()](error_code error, std::size_t) {
                        if (self->closed_) return;
                        if (error) return self->end(error.message());
                        self->spoke_ = Steady::now();
                        self->writing_.clear();
                        if (!self->waiting_.empty()) self->write_on();
                      });
  }

  void read() {
    socket_.async_read_some(asio::buffer(buffer_),
                            [self = shared_from_this()](error_code error, std::size_t size) {
                              if (self->closed_) return;
                              if (error) return self->end(error.message());
                              self->heard_ = Steady::now();
                              self->take({self->buffer_.data(), size});
                              if (!self->closed_) self->read();
                            });
  }

  // Any frame may end the connection.
  void take(std::string_view bytes) {
    while (!bytes.empty() && !closed_) {
      amqp_frame_t frame{};
      if (!reader_.take(bytes, frame)) return end("it sends what is not AMQP 0-9-1");
      if (frame.frame_type == 0) continue;
      if (frame.channel == 0)
        take_for_connection(frame);
      else
        take_for_channel(frame);
      if (!closed_ && assemblies_ == 0) reader_.release();
    }
  }

  void take_for_connection(const amqp_frame_t& frame) {
    if (frame.frame_type != AMQP_FRAME_METHOD) return;  // a heartbeat: it was heard
    const amqp_method_t& method = frame.payload.method;
    switch (method.id) {
      case AMQP_CONNECTION_CLOSE_METHOD:
        return closed_by_broker(*static_cast<const amqp_connection_close_t*>(method.decoded));
      case AMQP_CONNECTION_BLOCKED_METHOD:
        return events_.blocked(true);
      case AMQP_CONNECTION_UNBLOCKED_METHOD:
        return events_.blocked(false);
      default:
        break;  // the handshake's, or nobody's
    }
    if (handshake_.done()) return;
    write(handshake_.answer(method));
    if (method.id == AMQP_CONNECTION_TUNE_METHOD) reader_.set_frame_max(handshake_.frame_max());
    if (handshake_.done()) std::exchange(events_.opened, nullptr)();
  }

  void closed_by_broker(const amqp_connection_close_t& close) {
    const bool refused = close.reply_code == AMQP_ACCESS_REFUSED ||
                         (close.reply_code == AMQP_NOT_ALLOWED && !handshake_.done());
    end(text_of(close.reply_text), refused);
  }

  void take_for_channel(const amqp_frame_t& frame) {
    const auto found = channels_.find(frame.channel);
    if (found == channels_.end()) return;
    OpenChannel& channel = found->second;
    if (frame.frame_type == AMQP_FRAME_METHOD) {
      const amqp_method_t& method = frame.payload.method;
      if (carries_content(method.id)) {
        channel.assembly = Assembly{method, std::nullopt};
        ++assemblies_;
        return;
      }
      return hand_over(frame.channel, {.method = method.id, .arguments = method.decoded});
    }
    if (!channel.assembly) return end("it sends a message's content without the message");
    std::optional<Content>& content = channel.assembly->content;
    if (frame.frame_type == AMQP_FRAME_HEADER) {
      content = content_of(frame);
    } else if (content && frame.frame_type == AMQP_FRAME_BODY) {
      const amqp_bytes_t piece = frame.payload.body_fragment;
      content->missing -= std::min<std::uint64_t>(content->missing, piece.len);
      content->message.body.append(static_cast<const char*>(piece.bytes), piece.len);
    }
    if (!content || content->missing > 0) return;
    Assembly whole = std::move(*channel.assembly);
    channel.assembly.reset();
    --assemblies_;
    hand_over(frame.channel,
              {.method = whole.method.id, .arguments = whole.method.decoded, .content = &*whole.content});
  }

  // The handler may close the channel, or everything.
  void hand_over(Channel channel, const Incoming& incoming) {
    const std::shared_ptr<Handler> handler = channels_[channel].handler;
    if (incoming.method == AMQP_CHANNEL_CLOSE_METHOD) {
      std::string bytes;
      append_method(bytes, channel, AMQP_CHANNEL_CLOSE_OK_METHOD, amqp_channel_close_ok_t{});
      write(bytes);
    }
    if (incoming.method == AMQP_CHANNEL_CLOSE_METHOD || incoming.method == AMQP_CHANNEL_CLOSE_OK_METHOD)
      channels_.erase(channel);
    if (handler) (*handler)(incoming);
  }

  void end(const std::string& reason, bool refused = false) {
    auto ended = std::move(events_.ended);
    close();
    if (ended) ended({.reason = host_ + ": " + reason, .refused = refused});
  }

  LoopSocket socket_;
  LoopResolver resolver_;
  FrameReader reader_;
  Handshake handshake_;
  std::string host_;
  Events events_;
  std::map<Channel, OpenChannel> channels_;
  int assemblies_ = 0;
  std::string waiting_;
  std::string writing_;
  std::array<char, kReadBytes> buffer_;
  Steady::time_point heard_ = Steady::now();
  Steady::time_point spoke_ = Steady::now();
  bool closed_ = false;
};

Connection::Connection(asio::io_context& context, const Url& url)
    : stream_(std::make_shared<Stream>(context, url)) {}

Connection::~Connection() {
  stream_->close();
}

void Connection::open(const HostPort& host, std::chrono::milliseconds silence, Events events) {
  stream_->open(host, silence, std::move(events));
}

Channel Connection::open_channel(Handler handler) {
  return stream_->open_channel(std::move(handler));
}

void Connection::close_channel(Channel channel) {
  stream_->close_channel(channel);
}

void Connection::write(std::string_view frames) {
  stream_->write(frames);
}

std::size_t Connection::backlog() const {
  return stream_->backlog();
}

std::size_t Connection::frame_max() const {
  return stream_->frame_max();
}

void Connection::tick() {
  stream_->tick();
}

std::chrono::milliseconds Connection::silence() const {
  return stream_->silence();
}

}  // namespace ganglion::rabbitmq
