#include "ingress/http/exchange.h"

#include <utility>

namespace ganglion::http {

EventStream& EventStream::operator=(EventStream&& other) noexcept {
  if (this != &other) {
    end();
    exchange_ = std::exchange(other.exchange_, {});
  }
  return *this;
}

void EventStream::send(std::string_view id, std::string_view event, std::string_view data) {
  const auto exchange = exchange_.lock();
  if (!exchange) return;
  std::string text;
  text.reserve(data.size() + id.size() + event.size() + 32);
  if (!id.empty()) text.append("id: ").append(id).append("\n");
  if (!event.empty()) text.append("event: ").append(event).append("\n");
  while (true) {
    const std::size_t end = data.find_first_of("\r\n");
    text.append("data: ").append(data.substr(0, end)).append("\n");
    if (end == std::string_view::npos) break;
    data.remove_prefix(data.substr(end).starts_with("\r\n") ? end + 2 : end + 1);
  }
  text += '\n';
  exchange->stream_write(text);
}

bool EventStream::ready() const {
  const auto exchange = exchange_.lock();
  return exchange && exchange->stream_ready();
}

void EventStream::on_ready(std::move_only_function<void()> hook) {
  if (const auto exchange = exchange_.lock()) exchange->stream_on_ready(std::move(hook));
}

bool EventStream::open() const {
  const auto exchange = exchange_.lock();
  return exchange && exchange->open();
}

void EventStream::end() {
  if (const auto exchange = std::exchange(exchange_, {}).lock()) exchange->stream_end();
}

Responder::~Responder() {
  if (exchange_.expired()) return;
  fail({500, "internal", "the request was dropped without an answer"});
}

Responder& Responder::operator=(Responder&& other) noexcept {
  if (this != &other) {
    if (!exchange_.expired()) fail({500, "internal", "the request was dropped without an answer"});
    exchange_ = std::exchange(other.exchange_, {});
  }
  return *this;
}

void Responder::respond(Response response, LossHook lost) {
  if (const auto exchange = std::exchange(exchange_, {}).lock()) {
    exchange->respond(std::move(response), std::move(lost));
  } else if (lost) {
    lost();
  }
}

EventStream Responder::start_stream() {
  const auto weak = std::exchange(exchange_, {});
  if (const auto exchange = weak.lock()) {
    exchange->start_stream({200, "text/event-stream", {}, {}});
  }
  return EventStream(weak);
}

void Responder::on_interrupt(InterruptHook hook) {
  if (const auto exchange = exchange_.lock()) exchange->on_interrupt(std::move(hook));
}

bool Responder::open() const {
  const auto exchange = exchange_.lock();
  return exchange && exchange->open();
}

}  // namespace ganglion::http
