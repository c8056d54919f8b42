#pragma once

// One client connection: reads a request, hands it to its route, writes the answer, and begins again.
//
//   read head → admit (host, origin, token, route) → read body → handler → (wait) → write → …
//
// What a connection holds while nothing happens is this object and the frames of its coroutine: bytes are
// read into a small inline inbox, larger bodies through one scratch buffer that all connections share. The
// inbox is also what bounds pipelining: while a request waits for its answer, one read is kept pending so
// that a client that goes is noticed; what comes instead of the end lands in the inbox, and when that is full
// nothing more is read.
//
// One operation on the socket is pending at any time. Deadlines, answers and draining set a flag and cancel
// it; the coroutine looks at the flags wherever it comes back, so it doesn't matter which of two events came
// first.

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "base/asio/asio.h"
#include "ingress/http/deadline_wheel.h"
#include "ingress/http/exchange.h"
#include "ingress/http/request_reader.h"
#include "ingress/http/server.h"

namespace ganglion::http {

class Connection;

// What the connections of one server share. Connections keep it alive: their coroutines may outlast the
// Server object.
struct ServerCore {
  ServerCore(asio::io_context& loop, Clock& clock, Random& random, Options options, Router router);

  asio::io_context& loop;
  Clock& clock;
  Random& random;
  const Options options;
  const Router router;
  const Gate gate;
  DeadlineWheel wheel;
  LoopAcceptor acceptor;
  LoopTimer accept_pause;
  AccessLog access_log;
  Statistics statistics;
  std::list<Connection*> connections;
  std::size_t turning_away = 0;
  std::array<char, 64 * 1024> scratch;
  std::string id_prefix;
  std::uint64_t next_id = 1;
  TimerId tick;
  TimerId grace;
  bool draining = false;
  bool closed = false;  // the Server is gone: clock, router and log must not be touched
  std::move_only_function<void()> stopped;

  std::string make_request_id();
  void arm(DeadlineWheel::Entry& entry, Duration after);
  void on_tick();
  void connection_ended();
  void close_all();
};

class Connection final : public Exchange,
                         public DeadlineWheel::Entry,
                         public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<ServerCore> core, LoopSocket socket);
  ~Connection() override;

  // Spawns the coroutine that owns the connection from then on.
  void start();
  // Answers 503 and closes: there are too many connections.
  void turn_away();
  void drain();
  void abort();

  // Exchange:
  void respond(Response response, LossHook lost) override;
  void start_stream(Response head) override;
  void on_interrupt(InterruptHook hook) override;
  bool open() const override;
  void stream_write(std::string_view bytes) override;
  bool stream_ready() const override;
  void stream_on_ready(std::move_only_function<void()> hook) override;
  void stream_end() override;

 private:
  enum class Stage { reading, waiting, streaming, writing };

  // The request that is being read or answered.
  struct Current {
    const Route* route = nullptr;
    std::vector<std::string> parameters;
    Method method = Method::other;
    bool http_1_1 = true;
    bool admitted = false;   // the head has been judged
    bool answered = false;   // `response` is the answer
    bool streaming = false;  // `response` is the head of a stream
    bool stream_ended = false;
    std::string id;
    std::string path;
    Timestamp started;
    std::size_t bytes = 0;
    Response response;
    InterruptHook interrupt;
    InterruptHook
        interrupted;  // the hook once called: what it holds must not end before the answer is settled
    LossHook lost;
    std::move_only_function<void()> ready;
  };

  static constexpr std::size_t kInbox = 1024;

  static Awaitable<void> run(std::shared_ptr<Connection> self);
  static Awaitable<void> run_turn_away(std::shared_ptr<Connection> self);
  Awaitable<bool> read_request();
  Awaitable<void> answer();
  Awaitable<void> stream_events();
  Awaitable<void> watch();
  bool has_hung_up();
  void tell_ready();
  Awaitable<void> read_more();
  Awaitable<bool> write(std::string_view first, std::string_view second);
  Awaitable<void> linger();

  void feed_inbox();
  void read_body_at_once();
  void admit();
  void settle(Response response);
  void dispatch();
  void interrupt(Interrupt why);
  void finish_exchange(int status);
  void charge_buffers();
  bool begin_reading();
  std::string response_head(std::size_t body_size) const;
  bool keeps_alive() const { return keep_alive_ && !core_->draining; }
  void wake();
  void deadline_passed() override;

  std::shared_ptr<ServerCore> core_;
  LoopSocket socket_;
  std::list<Connection*>::iterator listed_;
  Stage stage_ = Stage::reading;
  bool keep_alive_ = true;
  bool lingers_ =
      false;           // bytes of the client may be unread: a plain close would destroy the answer on its way
  bool gone_ = false;  // the client has closed, or the socket failed
  bool timed_out_ = false;  // a deadline passed since this was last looked at
  bool suspended_ = false;  // in `watch`, or in a read: cancelling the socket wakes the coroutine
  bool counted_ = true;     // among the connections that the maximum bounds
  RequestReader reader_;
  std::size_t charged_ = 0;
  Current current_;
  std::string outbox_;  // of a stream: what isn't being sent yet
  std::size_t sending_ = 0;
  std::size_t inbox_size_ = 0;
  std::array<char, kInbox> inbox_;
};

}  // namespace ganglion::http
