#include "ingress/http/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "base/assert.h"
#include "ingress/http/connection.h"

namespace ganglion::http {
namespace {

// Connections beyond the maximum that may be told so at the same time; further ones are just closed.
constexpr std::size_t kMaxTurningAway = 64;
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

// A client whose machine has died sends nothing, not even an end: the kernel asks after 30 s, and gives up a
// minute later.
void set_socket_options(LoopSocket& socket) {
  boost::system::error_code ignored;
  socket.non_blocking(true, ignored);
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  const auto set = [&](int name, int value) {
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, name, &value, sizeof value);
  };
  set(TCP_KEEPIDLE, 30);
  set(TCP_KEEPINTVL, 15);
  set(TCP_KEEPCNT, 4);
}

Awaitable<void> accept_connections(std::shared_ptr<ServerCore> core) {
  while (core->acceptor.is_open()) {
    LoopSocket socket(core->loop);
    boost::system::error_code error;
    auto token = asio::redirect_error(use_awaitable, error);
    co_await core->acceptor.async_accept(socket, token);
    if (core->closed || core->draining) co_return;
    if (error) {
      // Out of descriptors or memory; connections that end will free some.
      core->accept_pause.expires_after(kAcceptPause);
      auto pause_token = asio::redirect_error(use_awaitable, error);
      co_await core->accept_pause.async_wait(pause_token);
      continue;
    }
    set_socket_options(socket);
    const std::size_t counted = core->statistics.connections - core->turning_away;
    const bool room = counted < core->options.max_connections;
    if (!room) ++core->statistics.turned_away;
    if (!room && core->turning_away >= kMaxTurningAway) continue;
    const auto connection = std::make_shared<Connection>(core, std::move(socket));
    if (room) {
      ++core->statistics.accepted;
      connection->start();
    } else {
      connection->turn_away();
    }
  }
}

}  // namespace

ServerCore::ServerCore(asio::io_context& loop_, Clock& clock_, Random& random_, Options options_,
                       Router router_)
    : loop(loop_),
      clock(clock_),
      random(random_),
      options(std::move(options_)),
      router(std::move(router_)),
      gate(options),
      acceptor(loop),
      accept_pause(loop) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (std::uint64_t bits = random.next(), i = 0; i < 12; ++i, bits >>= 4) id_prefix += kDigits[bits & 15];
}

std::string ServerCore::make_request_id() {
  return id_prefix + "-" + std::to_string(next_id++);
}

void ServerCore::arm(DeadlineWheel::Entry& entry, Duration after) {
  wheel.arm(entry, clock.now() + after);
  if (tick == TimerId{}) on_tick();
}

// Ticks only while there is a deadline: an idle server sleeps.
void ServerCore::on_tick() {
  tick = TimerId{};
  wheel.advance(clock.now());
  if (!wheel.empty()) tick = clock.at(clock.now() + DeadlineWheel::kTick, [this] { on_tick(); });
}

void ServerCore::connection_ended() {
  if (draining && !closed && connections.empty() && stopped) {
    clock.cancel(grace);
    clock.post(std::exchange(stopped, nullptr));
  }
}

void ServerCore::close_all() {
  for (Connection* connection : connections) connection->abort();
}

Server::Server(asio::io_context& loop, Clock& clock, Random& random, Options options, Router router)
    : core_(std::make_shared<ServerCore>(loop, clock, random, std::move(options), std::move(router))) {}

Server::~Server() {
  core_->closed = true;
  boost::system::error_code ignored;
  core_->acceptor.close(ignored);
  core_->accept_pause.cancel();
  core_->clock.cancel(core_->tick);
  core_->clock.cancel(core_->grace);
  core_->close_all();
}

void Server::set_access_log(AccessLog log) {
  core_->access_log = std::move(log);
}

Result<void> Server::start() {
  if (auto valid = validate(core_->options); !valid) return valid;
  boost::system::error_code error;
  const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(core_->options.address, error),
                                         core_->options.port);
  LoopAcceptor& acceptor = core_->acceptor;
  if (!error) acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    boost::system::error_code ignored;
    acceptor.close(ignored);
    return fail("listen_failed", "can't listen on " + core_->options.address + ":" +
                                     std::to_string(core_->options.port) + ": " + error.message());
  }
  asio::co_spawn(core_->loop, accept_connections(core_), asio::detached);
  return {};
}

std::uint16_t Server::port() const {
  boost::system::error_code ignored;
  return core_->acceptor.local_endpoint(ignored).port();
}

void Server::stop(Duration grace, std::move_only_function<void()> done) {
  GANGLION_ASSERT(!core_->draining);
  core_->draining = true;
  core_->stopped = std::move(done);
  boost::system::error_code ignored;
  core_->acceptor.close(ignored);
  core_->accept_pause.cancel();
  if (core_->connections.empty()) return core_->connection_ended();
  core_->grace = core_->clock.at(core_->clock.now() + grace, [core = core_.get()] { core->close_all(); });
  // A hook may end other connections, but they leave the list only when their coroutines come back.
  for (Connection* connection : core_->connections) connection->drain();
}

Statistics Server::statistics() const {
  return core_->statistics;
}

}  // namespace ganglion::http
