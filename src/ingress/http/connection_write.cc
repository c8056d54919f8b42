// The writing half of Connection: answers, event streams and the way out.

#include <sys/socket.h>

#include <charconv>
#include <utility>

#include "ingress/http/connection.h"
#include "ingress/http/http_date.h"

namespace ganglion::http {
namespace {

// A slow reader is given Options::write_timeout for each of these.
constexpr std::size_t kWriteProgress = 16 * 1024;
constexpr Duration kLinger{2000};
constexpr std::size_t kLingerBytes = 1024 * 1024;
constexpr int kClientGone = 499;

void append_header(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ").append(value).append("\r\n");
}

std::string chunk_size_line(std::size_t size) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, size, 16).ptr;
  return std::string(digits, end) + "\r\n";
}

}  // namespace

std::string Connection::response_head(std::size_t body_size) const {
  const Response& response = current_.response;
  std::string head;
  head.reserve(256);
  head.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  head.append(reason_phrase(response.status)).append("\r\n");
  append_header(head, "Date", http_date(core_->clock.now()));
  if (response.status != 204) append_header(head, "Content-Type", response.content_type);
  if (current_.streaming) {
    if (current_.http_1_1) append_header(head, "Transfer-Encoding", "chunked");
    append_header(head, "X-Accel-Buffering", "no");
  } else if (response.status != 204) {
    append_header(head, "Content-Length", std::to_string(body_size));
  }
  append_header(head, "X-Request-Id", current_.id);
  append_header(head, "Cache-Control", "no-store");
  append_header(head, "X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : response.headers) append_header(head, name, value);
  if (!keeps_alive()) {
    append_header(head, "Connection", "close");
  } else if (!current_.http_1_1) {
    append_header(head, "Connection", "keep-alive");
  }
  head += "\r\n";
  return head;
}

Awaitable<void> Connection::answer() {
  while (stage_ == Stage::waiting && !current_.answered && !current_.streaming && !gone_) co_await watch();
  if (stage_ == Stage::waiting) --core_->statistics.waiting;
  if (core_->closed) co_return;
  if (current_.lost && !gone_) gone_ = has_hung_up();
  if (gone_) {
    interrupt(Interrupt::client_gone);
    finish_exchange(kClientGone);
    co_return;
  }
  if (current_.streaming) {
    stage_ = Stage::streaming;
    co_await stream_events();
    co_return;
  }
  stage_ = Stage::writing;
  const std::string head = response_head(current_.response.body.size());
  const std::string_view body =
      current_.method == Method::head ? "" : std::string_view(current_.response.body);
  current_.bytes = body.size();
  const bool written = co_await write(head, body);
  if (!core_->closed) finish_exchange(written ? current_.response.status : kClientGone);
}

// Keeps one read pending, so that a client that goes is noticed at once. Returns when anything has happened.
Awaitable<void> Connection::watch() {
  if (inbox_size_ < kInbox) {
    co_await read_more();
    co_return;
  }
  // The client has pipelined more than there is room for: only a broken connection is noticed now.
  boost::system::error_code error;
  auto token = asio::redirect_error(use_awaitable, error);
  suspended_ = true;
  co_await socket_.async_wait(LoopSocket::wait_error, token);
  suspended_ = false;
  if (error != asio::error::operation_aborted) gone_ = true;
}

// The end may have come between the last read and the answer: what matters enough to have a loss hook looks
// once more.
bool Connection::has_hung_up() {
  char byte = 0;
  return ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

// Writes both parts; false (and `gone_`) if the client has gone or is too slow.
Awaitable<bool> Connection::write(std::string_view first, std::string_view second) {
  std::size_t progress = 0;
  bool armed = false;
  while (!first.empty() || !second.empty()) {
    const std::array<asio::const_buffer, 2> parts{asio::buffer(first), asio::buffer(second)};
    boost::system::error_code error;
    std::size_t size = socket_.write_some(parts, error);
    if (error == asio::error::would_block || error == asio::error::try_again) {
      if (!std::exchange(armed, true) || progress >= kWriteProgress) {
        core_->arm(*this, core_->options.write_timeout);
        progress = 0;
      }
      error = {};
      auto token = asio::redirect_error(use_awaitable, error);
      size = co_await socket_.async_write_some(parts, token);
    }
    if (error || core_->closed) {
      gone_ = true;
      break;
    }
    progress += size;
    const std::size_t of_first = std::min(size, first.size());
    first.remove_prefix(of_first);
    second.remove_prefix(size - of_first);
  }
  if (armed && !core_->closed) core_->wheel.disarm(*this);
  timed_out_ = false;
  co_return !gone_;
}

Awaitable<void> Connection::stream_events() {
  ++core_->statistics.streams;
  const std::string head = response_head(0);
  co_await write(head, {});
  const bool silent = current_.method == Method::head;
  while (!gone_ && !silent) {
    if (!outbox_.empty()) {
      const std::string sending = std::exchange(outbox_, {});
      sending_ = sending.size();
      current_.bytes += sending.size();
      const std::string framed =
          current_.http_1_1 ? chunk_size_line(sending.size()) + sending + "\r\n" : sending;
      co_await write(framed, {});
      sending_ = 0;
      tell_ready();
      continue;
    }
    if (current_.stream_ended) break;
    core_->arm(*this, core_->options.heartbeat);
    co_await watch();
    if (core_->closed) break;
    core_->wheel.disarm(*this);
    if (std::exchange(timed_out_, false)) outbox_ += ":\n\n";
  }
  --core_->statistics.streams;
  if (core_->closed) co_return;
  if (gone_) {
    interrupt(Interrupt::client_gone);
  } else if (!silent && current_.http_1_1) {
    const std::string_view last_chunk = "0\r\n\r\n";
    co_await write(last_chunk, {});
  }
  if (!current_.http_1_1) keep_alive_ = false;
  if (!core_->closed) finish_exchange(current_.response.status);
}

void Connection::stream_write(std::string_view bytes) {
  if (!current_.streaming || current_.stream_ended || gone_) return;
  const bool waited_for = stream_ready();
  outbox_ += bytes;
  // A producer that doesn't wait for `ready` must not fill the memory; the client resumes where it was cut.
  // One that does may send an event of any size: cut, the client would only ask for the same again.
  if (!waited_for && outbox_.size() > core_->options.stream_hard_limit) {
    outbox_ = {};
    gone_ = true;
    boost::system::error_code ignored;
    socket_.close(ignored);
    return;
  }
  wake();
}

bool Connection::stream_ready() const {
  return open() && outbox_.size() + sending_ < core_->options.stream_high_water;
}

void Connection::stream_on_ready(std::move_only_function<void()> hook) {
  if (!current_.streaming || core_->closed) return;
  current_.ready = std::move(hook);
  if (!stream_ready()) return;
  // Ready already: perhaps no write ends that would call it.
  core_->clock.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && !self->core_->closed) self->tell_ready();
  });
}

void Connection::tell_ready() {
  if (current_.ready && stream_ready()) std::exchange(current_.ready, nullptr)();
}

void Connection::stream_end() {
  if (!current_.streaming) return;
  current_.stream_ended = true;
  wake();
}

// The exchange's end: the handler's hooks go, the log hears of it.
void Connection::finish_exchange(int status) {
  stage_ = Stage::writing;
  auto& answers = core_->statistics.answers;
  ++answers[status == kClientGone ? 0 : static_cast<std::size_t>(status / 100) % std::size(answers)];
  if (core_->access_log) {
    core_->access_log(
        {.method = method_name(current_.method),
         .path = current_.path,
         .route = current_.route ? std::string_view(current_.route->pattern) : std::string_view(),
         .request_id = current_.id,
         .status = status,
         .bytes = current_.bytes,
         .duration = core_->clock.now() - current_.started});
  }
  LossHook lost = status == kClientGone ? std::move(current_.lost) : LossHook();
  current_ = Current{};
  if (lost) lost();
}

// Half-closes, then reads what the client still sends and throws it away: closing with unread bytes would
// reset the connection, and the answer could be lost with it.
Awaitable<void> Connection::linger() {
  boost::system::error_code error;
  socket_.shutdown(LoopSocket::shutdown_send, error);
  core_->arm(*this, kLinger);
  timed_out_ = false;
  std::size_t discarded = 0;
  while (!gone_ && !timed_out_ && !core_->closed && discarded < kLingerBytes) {
    inbox_size_ = 0;
    co_await read_more();
    discarded += inbox_size_;
  }
}

void Connection::turn_away() {
  counted_ = false;
  ++core_->turning_away;
  asio::co_spawn(core_->loop, run_turn_away(shared_from_this()), asio::detached);
}

Awaitable<void> Connection::run_turn_away(std::shared_ptr<Connection> self) {
  self->keep_alive_ = false;
  self->current_.response = to_response({.status = 503,
                                         .code = "too_many_connections",
                                         .detail = "the server has as many connections as it may have",
                                         .retry_after = Duration{1000}});
  self->current_.id = self->core_->make_request_id();
  const std::string head = self->response_head(self->current_.response.body.size());
  const bool written = co_await self->write(head, self->current_.response.body);
  if (written && !self->core_->closed) co_await self->linger();
  self->abort();
}

}  // namespace ganglion::http
