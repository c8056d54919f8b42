#include "ingress/http/connection.h"

#include <cstring>
#include <utility>

#include "base/assert.h"

namespace ganglion::http {
namespace {

constexpr std::size_t kLoggedPath = 256;
constexpr std::size_t kMaxRequestId = 128;
// Of one body, before other connections have their turn.
constexpr int kReadsAtOnce = 16;

bool is_request_id(std::string_view text) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/+=@";
  return !text.empty() && text.size() <= kMaxRequestId &&
         text.find_first_not_of(kAllowed) == std::string_view::npos;
}

Problem to_problem(const ReadFault& fault) {
  return {fault.status, fault.code, fault.detail};
}

}  // namespace

Connection::Connection(std::shared_ptr<ServerCore> core, LoopSocket socket)
    : core_(std::move(core)),
      socket_(std::move(socket)),
      reader_(core_->options.request, core_->router.largest_body_limit()) {
  listed_ = core_->connections.insert(core_->connections.end(), this);
  ++core_->statistics.connections;
}

Connection::~Connection() {
  core_->connections.erase(listed_);
  --core_->statistics.connections;
  core_->statistics.buffered_bytes -= charged_;
  if (!counted_) --core_->turning_away;
  core_->connection_ended();
}

void Connection::start() {
  asio::co_spawn(core_->loop, run(shared_from_this()), asio::detached);
}

Awaitable<void> Connection::run(std::shared_ptr<Connection> self) {
  while (self->begin_reading()) {
    const bool arrived = co_await self->read_request();
    if (!arrived) break;
    if (!self->current_.answered) self->dispatch();
    co_await self->answer();
  }
  if (self->lingers_ && !self->gone_) co_await self->linger();
  self->abort();
}

// --- reading ---

bool Connection::begin_reading() {
  if (gone_ || !keeps_alive() || core_->closed) return false;
  // A connection's first request is expected at once.
  const bool first = stage_ == Stage::reading;
  timed_out_ = false;
  stage_ = Stage::reading;
  current_ = Current{};
  core_->arm(*this, first ? core_->options.header_timeout : core_->options.keep_alive_timeout);
  return true;
}

// True when a request is complete or an answer to it is settled already; false when the connection should
// just end.
Awaitable<bool> Connection::read_request() {
  bool continued = false;
  while (true) {
    const auto before = reader_.state();
    feed_inbox();
    if (reader_.state() == RequestReader::State::body) read_body_at_once();
    charge_buffers();
    if (gone_ || core_->closed) co_return false;
    const auto state = reader_.state();
    if (!current_.answered && state == RequestReader::State::failed)
      settle(to_response(to_problem(reader_.fault())));
    if (!current_.answered && timed_out_) {
      if (state == RequestReader::State::idle) co_return false;
      settle(to_response({408, "request_timeout", "the request took too long to arrive"}));
    }
    if (current_.answered || state == RequestReader::State::complete) {
      core_->wheel.disarm(*this);
      co_return true;
    }
    if (core_->draining && state == RequestReader::State::idle) co_return false;
    if (state != before && state == RequestReader::State::head)
      core_->arm(*this, core_->options.header_timeout);
    if (state != before && state == RequestReader::State::body)
      core_->arm(*this, core_->options.body_timeout);
    if (state == RequestReader::State::body && reader_.request().expects_continue &&
        !std::exchange(continued, true)) {
      const std::string_view interim = "HTTP/1.1 100 Continue\r\n\r\n";
      if (reader_.request().body.empty() && !co_await write(interim, {})) co_return false;
      core_->arm(*this, core_->options.body_timeout);
    }
    co_await read_more();
  }
}

void Connection::feed_inbox() {
  std::size_t used = 0;
  while (used < inbox_size_ && !current_.answered) {
    used += reader_.feed(std::string_view(inbox_.data() + used, inbox_size_ - used));
    const auto state = reader_.state();
    if (state == RequestReader::State::failed) break;
    if (!current_.admitted &&
        (state == RequestReader::State::body || state == RequestReader::State::complete))
      admit();
    if (state == RequestReader::State::complete) break;
  }
  inbox_size_ -= used;
  if (used > 0) std::memmove(inbox_.data(), inbox_.data() + used, inbox_size_);
}

// What the kernel already has of a body of known length, in large pieces.
void Connection::read_body_at_once() {
  for (int i = 0; i < kReadsAtOnce && inbox_size_ == 0 && reader_.remaining() > 0; ++i) {
    const std::size_t wanted = std::min(reader_.remaining(), core_->scratch.size());
    boost::system::error_code error;
    const std::size_t size = socket_.read_some(asio::buffer(core_->scratch.data(), wanted), error);
    if (error == asio::error::would_block || error == asio::error::try_again) return;
    if (error) {
      gone_ = true;
      return;
    }
    reader_.feed(std::string_view(core_->scratch.data(), size));
  }
}

Awaitable<void> Connection::read_more() {
  boost::system::error_code error;
  const auto room = asio::buffer(inbox_.data() + inbox_size_, kInbox - inbox_size_);
  auto token = asio::redirect_error(use_awaitable, error);
  suspended_ = true;
  const std::size_t size = co_await socket_.async_read_some(room, token);
  suspended_ = false;
  inbox_size_ += size;
  if (error && error != asio::error::operation_aborted) gone_ = true;
}

void Connection::charge_buffers() {
  const std::size_t held = reader_.held();
  core_->statistics.buffered_bytes += held - charged_;
  charged_ = held;
  if (core_->statistics.buffered_bytes > core_->options.max_buffered && !current_.answered &&
      reader_.state() == RequestReader::State::body) {
    settle(to_response({.status = 503,
                        .code = "overloaded",
                        .detail = "too many large requests are being received",
                        .retry_after = Duration{1000}}));
  }
}

// The head is known: everything that can be refused without the body is refused now.
void Connection::admit() {
  const Request& request = reader_.request();
  current_.admitted = true;
  current_.method = request.method;
  current_.http_1_1 = request.http_1_1;
  current_.started = core_->clock.now();
  current_.path = request.target().substr(0, std::min(request.target().find('?'), kLoggedPath));
  const std::string_view given = request.header("x-request-id").value_or("");
  current_.id = is_request_id(given) ? std::string(given) : core_->make_request_id();
  keep_alive_ = request.keep_alive;

  if (request.method == Method::options && request.target() == "*") {
    return settle({204, {}, {{"Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS"}}, {}});
  }
  const auto target = parse_target(request.target());
  if (!target) return settle(to_response({400, target.error().code, target.error().message}));
  auto found = core_->router.find(request.method, *target);
  auto* match = std::get_if<Router::Match>(&found);
  if (auto problem = core_->gate.refuse(request, match ? match->route->access : Access::token)) {
    return settle(to_response(*problem));
  }
  if (match != nullptr) {
    current_.route = match->route;
    current_.parameters = std::move(match->parameters);
    const std::size_t own = match->route->body_limit;
    reader_.limit_body(own > 0 ? own : core_->options.request.body);
    return;
  }
  const auto* others = std::get_if<Router::OtherMethods>(&found);
  if (others == nullptr) return settle(to_response({404, "not_found", "there is nothing at this path"}));
  if (request.method == Method::options) return settle({204, {}, {{"Allow", others->allow}}, {}});
  Problem problem{405, "method_not_allowed", "this path allows " + others->allow};
  problem.headers.emplace_back("Allow", others->allow);
  settle(to_response(problem));
}

// Answers without a handler. If the request has come in whole the connection goes on; else its rest can't be
// told from the next request, and it ends.
void Connection::settle(Response response) {
  if (!current_.admitted) {
    current_.started = core_->clock.now();
    current_.id = core_->make_request_id();
  }
  current_.admitted = true;
  current_.response = std::move(response);
  current_.answered = true;
  if (reader_.state() == RequestReader::State::complete) {
    reader_.take();
    return;
  }
  keep_alive_ = false;
  lingers_ = true;
  reader_.discard();
}

// --- handling ---

void Connection::dispatch() {
  Request request = reader_.take();
  charge_buffers();
  request.id = current_.id;
  request.parameters = std::move(current_.parameters);
  stage_ = Stage::waiting;
  ++core_->statistics.waiting;
  try {
    current_.route->handler(std::move(request), Responder(weak_from_this()));
  } catch (const std::exception&) {
    // A defect in a handler: its responder has answered 500 while the stack unwound.
  }
}

void Connection::respond(Response response, LossHook lost) {
  if (stage_ != Stage::waiting || gone_ || current_.answered || current_.streaming) {
    if (lost && !core_->closed) core_->clock.post(std::move(lost));
    return;
  }
  current_.lost = std::move(lost);
  current_.response = std::move(response);
  current_.answered = true;
  wake();
}

void Connection::start_stream(Response head) {
  if (stage_ != Stage::waiting || gone_ || current_.answered || current_.streaming) return;
  current_.response = std::move(head);
  current_.streaming = true;
  wake();
}

void Connection::on_interrupt(InterruptHook hook) {
  if (open()) current_.interrupt = std::move(hook);
}

bool Connection::open() const {
  return !gone_ && !current_.answered && !current_.stream_ended &&
         (stage_ == Stage::waiting || stage_ == Stage::streaming);
}

void Connection::interrupt(Interrupt why) {
  if (!current_.interrupt || core_->closed) return;
  current_.interrupted = std::exchange(current_.interrupt, nullptr);
  current_.interrupted(why);
}

void Connection::drain() {
  if (stage_ == Stage::waiting && !current_.answered && !current_.streaming && current_.interrupt) {
    interrupt(Interrupt::draining);
    if (!current_.answered && !current_.interrupt) {
      respond(to_response({.status = 503,
                           .code = "shutting_down",
                           .detail = "the server is going down; ask again",
                           .retry_after = Duration{1000}}),
              {});
    }
  } else if (current_.streaming) {
    interrupt(Interrupt::draining);
    stream_end();
  }
  wake();
}

void Connection::abort() {
  gone_ = true;
  core_->wheel.disarm(*this);
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void Connection::wake() {
  boost::system::error_code ignored;
  if (suspended_) socket_.cancel(ignored);
}

void Connection::deadline_passed() {
  timed_out_ = true;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

}  // namespace ganglion::http
