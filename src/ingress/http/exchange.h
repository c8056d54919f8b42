#pragma once

// One request's answer in the making. A handler gets a Responder and calls `respond` or `start_stream` at
// once or any time later, on the event loop. While it waits the connection keeps no stack and no buffers for
// it beyond the fixed ones; the request itself belongs to the handler.
//
// A client that goes away is noticed at once, also while its request waits: `on_interrupt` is called, and the
// answer would go nowhere. When the server drains, it is called too, and the handler may still answer from
// inside the call, or set another hook there and answer soon; a request with neither gets 503
// `shutting_down`. A Responder that is destroyed without an answer answers 500.
//
// Both handles may outlive the connection; then calls have no effect.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "ingress/http/message.h"
#include "ingress/http/problem.h"

namespace ganglion::http {

enum class Interrupt { client_gone, draining };
using InterruptHook = std::move_only_function<void(Interrupt)>;
// Called if an answer could not be handed to the client's machine.
using LossHook = std::move_only_function<void()>;

// What the handles hold on to: implemented by the connection.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual void respond(Response response, LossHook lost) = 0;
  virtual void start_stream(Response head) = 0;
  virtual void on_interrupt(InterruptHook hook) = 0;
  virtual bool open() const = 0;
  virtual void stream_write(std::string_view bytes) = 0;
  virtual bool stream_ready() const = 0;
  virtual void stream_on_ready(std::move_only_function<void()> hook) = 0;
  virtual void stream_end() = 0;
};

// An event stream (text/event-stream of the HTML standard). Bounded: see Options::stream_high_water.
// Destroying it ends the stream.
class EventStream {
 public:
  EventStream() = default;
  explicit EventStream(std::weak_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  ~EventStream() { end(); }
  EventStream(EventStream&& other) noexcept : exchange_(std::move(other.exchange_)) {
    other.exchange_.reset();
  }
  EventStream& operator=(EventStream&& other) noexcept;

  // One event. Empty `id` or `event` are left out; line breaks in `data` are carried over as the standard
  // says.
  void send(std::string_view id, std::string_view event, std::string_view data);
  // False while too much is unsent: wait for `on_ready` before the next event.
  bool ready() const;
  // Calls `hook` once, when the stream is ready again, never inside this call. One at a time.
  void on_ready(std::move_only_function<void()> hook);
  bool open() const;
  void end();

 private:
  std::weak_ptr<Exchange> exchange_;
};

class Responder {
 public:
  Responder() = default;
  explicit Responder(std::weak_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  ~Responder();
  Responder(Responder&& other) noexcept : exchange_(std::move(other.exchange_)) { other.exchange_.reset(); }
  Responder& operator=(Responder&& other) noexcept;

  // The first answer counts; afterwards the responder is empty. `lost` is for answers that hand something
  // over: it is called, from the loop, if the client has gone before the answer was written.
  void respond(Response response, LossHook lost = {});
  void fail(const Problem& problem) { respond(to_response(problem)); }
  // 200 with `Content-Type: text/event-stream`. Interrupts are still told.
  EventStream start_stream();

  // Replaces an earlier hook. It is dropped with the answer (of a stream: with its end), uncalled. If the
  // client has gone already it is never called: look at `open`.
  void on_interrupt(InterruptHook hook);
  // False once answered or once the client has gone.
  bool open() const;

 private:
  std::weak_ptr<Exchange> exchange_;
};

}  // namespace ganglion::http
