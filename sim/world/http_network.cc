#include "sim/world/http_network.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "ingress/http/exchange.h"
#include "ingress/http/router.h"
#include "ingress/http/target.h"
#include "sim/world/process_clock.h"

namespace ganglion::sim {
namespace {

// What the parser makes of a call.
http::Request request_of(const HttpCall& call, CallId id) {
  http::Request request;
  request.method = http::parse_method(call.method);
  request.head = call.method + " ";
  request.target_at = static_cast<std::uint32_t>(request.head.size());
  request.target_size = static_cast<std::uint32_t>(call.target.size());
  request.head += call.target + " HTTP/1.1\r\n";
  for (const auto& [name, value] : call.headers) {
    const auto at = static_cast<std::uint32_t>(request.head.size());
    request.head += name + ": " + value + "\r\n";
    request.fields.push_back({at, static_cast<std::uint32_t>(name.size()),
                              static_cast<std::uint32_t>(at + name.size() + 2),
                              static_cast<std::uint32_t>(value.size())});
  }
  request.head += "\r\n";
  request.body = call.body;
  request.id = "call-" + std::to_string(id.value());
  return request;
}

}  // namespace

// One request and its answer: both ends of a connection.
class HttpNetwork::Conversation final : public http::Exchange,
                                        public std::enable_shared_from_this<Conversation> {
 public:
  Conversation(HttpNetwork& network, CallId id, std::string from, HostId to, HttpCall call)
      : id_(id), from_(std::move(from)), to_(to), call_(std::move(call)), network_(network) {}

  const CallId id_;
  const std::string from_;
  const HostId to_;
  HttpCall call_;
  // The program's end.
  Done done_;
  std::optional<StreamHooks> stream_;
  MomentId timeout_;
  bool client_open_ = true;
  std::weak_ptr<Conversation> copy_;  // the request that came twice
  // The engine's end.
  std::uint64_t life_ = 0;  // of the host, from when the request arrived
  bool arrived_ = false;
  bool server_open_ = false;  // then the host keeps it among the accepted ones
  bool gone_before_arrival_ = false;
  http::InterruptHook interrupt_;
  SimTime last_piece_{};
  bool broken_ = false;  // a piece of the stream was swallowed: what comes after it can't arrive

  void handle();
  void client_goes();
  void told_that_client_has_gone();
  // False if it was closed before.
  bool close_server_end();

  // http::Exchange
  void respond(http::Response response, http::LossHook lost) override;
  void start_stream(http::Response head) override;
  void on_interrupt(http::InterruptHook hook) override { interrupt_ = std::move(hook); }
  bool open() const override { return server_open_; }
  void stream_write(std::string_view bytes) override;
  bool stream_ready() const override { return true; }
  void stream_on_ready(std::move_only_function<void()>) override {}
  void stream_end() override;

 private:
  Host& host() { return network_.hosts_[to_]; }
  bool is_heard() { return client_open_ && !host().parted_from; }

  HttpNetwork& network_;
};

HttpNetwork::HttpNetwork(Timeline& timeline, Fate& fate, const NetworkFaults& faults)
    : timeline_(timeline), fate_(fate), faults_(faults) {}

HttpNetwork::~HttpNetwork() = default;

// --- the program's end
// ----------------------------------------------------------------------------------------------

CallId HttpNetwork::send(const std::string& from, HostId to, HttpCall call, SimTime timeout, Done done) {
  const auto conversation = begin(from, to, std::move(call));
  conversation->done_ = std::move(done);
  const CallId id = conversation->id_;
  ++traffic_.requests;
  traffic_.bytes += conversation->call_.body.size();
  conversation->timeout_ = timeline_.after(timeout, [this, id] {
    const auto found = conversations_.find(id);
    if (found == conversations_.end()) return;
    auto waiting = std::exchange(found->second->done_, {});
    close(id);
    waiting(fail("timeout", "no answer in time"));
  });
  travel(conversation);
  // A proxy, or a client that is impatient: the same request once more, whose answer nobody reads. What
  // befalls the copy is drawn apart, so that it moves nothing else.
  if (fate_.occasion(fate_.site(from + ".duplicate"), faults_.duplicate)) {
    const auto copy = begin(from + ".copy", to, conversation->call_);
    conversations_.erase(copy->id_);
    conversation->copy_ = copy;
    travel(copy);
  }
  return id;
}

CallId HttpNetwork::stream(const std::string& from, HostId to, HttpCall call, StreamHooks hooks) {
  const auto conversation = begin(from, to, std::move(call));
  conversation->stream_ = std::move(hooks);
  travel(conversation);
  return conversation->id_;
}

std::shared_ptr<HttpNetwork::Conversation> HttpNetwork::begin(const std::string& from, HostId to,
                                                              HttpCall call) {
  last_ = last_.next();
  auto conversation = std::make_shared<Conversation>(*this, last_, from, to, std::move(call));
  conversations_.emplace(last_, conversation);
  return conversation;
}

void HttpNetwork::close(CallId call) {
  const auto found = conversations_.find(call);
  if (found == conversations_.end()) return;
  const auto conversation = found->second;
  conversations_.erase(found);
  timeline_.call_off(conversation->timeout_);
  conversation->done_ = {};
  conversation->stream_.reset();
  conversation->client_goes();
}

void HttpNetwork::finish(CallId call, Result<HttpAnswer> answer) {
  const auto found = conversations_.find(call);
  if (found == conversations_.end()) return;
  const auto conversation = found->second;
  conversations_.erase(found);
  timeline_.call_off(conversation->timeout_);
  conversation->client_open_ = false;
  if (const auto copy = conversation->copy_.lock()) copy->client_goes();
  if (conversation->stream_) {
    const Error why = answer ? Error{"refused", answer->body} : answer.error();
    std::exchange(conversation->stream_, {})->end(why);
  } else if (auto done = std::exchange(conversation->done_, {})) {
    done(std::move(answer));
  }
}

// --- on the way
// -------------------------------------------------------------------------------------------------------

SimTime HttpNetwork::latency(const std::string& from) {
  // Drawn in any case: a slow message that is left out changes no later one.
  Draw usual = fate_.draw(fate_.site(from + ".latency"));
  if (auto slow = fate_.occasion(fate_.site(from + ".slow_message"), faults_.slow)) {
    return slow.draw.between(faults_.latency_most, faults_.slow_most);
  }
  if (faults_.latency) return faults_.latency(usual);
  return usual.between(faults_.latency_least, faults_.latency_most);
}

void HttpNetwork::travel(const std::shared_ptr<Conversation>& conversation) {
  if (fate_.occasion(fate_.site(conversation->from_ + ".lost_request"), faults_.lost_request)) return;
  timeline_.after(latency(conversation->from_), [this, conversation] { arrive(conversation); });
}

void HttpNetwork::arrive(const std::shared_ptr<Conversation>& conversation) {
  Host& host = hosts_[conversation->to_];
  if (host.parted_to) return;
  if (host.listener.clock == nullptr) {
    return break_off(conversation, {"unreachable", "nobody listens"});
  }
  conversation->life_ = host.life;
  conversation->arrived_ = true;
  conversation->server_open_ = true;
  host.accepted.emplace(conversation->id_, conversation);
  host.listener.clock->post([conversation] { conversation->handle(); });
  if (conversation->gone_before_arrival_) conversation->told_that_client_has_gone();
}

// The host's machine says that there is no such connection.
void HttpNetwork::break_off(const std::shared_ptr<Conversation>& conversation, Error why) {
  if (hosts_[conversation->to_].parted_from) return;
  timeline_.after(latency(conversation->from_), [this, conversation, why = std::move(why)] {
    if (!hosts_[conversation->to_].parted_from) finish(conversation->id_, std::unexpected(why));
  });
}

void HttpNetwork::listen(HostId host, Listener listener) {
  hosts_[host].listener = listener;
}

void HttpNetwork::die(HostId id) {
  Host& host = hosts_[id];
  host.listener = {};
  ++host.life;
  auto accepted = std::exchange(host.accepted, {});
  for (const auto& [call, conversation] : accepted) {
    conversation->server_open_ = false;
    break_off(conversation, {"reset", "the connection was reset"});
  }
  // The dead process may be on the stack, and what it left with them is its own.
  timeline_.after(SimTime(0), [accepted = std::move(accepted)] {
    for (const auto& [call, conversation] : accepted) conversation->interrupt_ = {};
  });
}

void HttpNetwork::part(HostId host, Way way) {
  (way == Way::to_host ? hosts_[host].parted_to : hosts_[host].parted_from) = true;
}
void HttpNetwork::mend(HostId host, Way way) {
  (way == Way::to_host ? hosts_[host].parted_to : hosts_[host].parted_from) = false;
}

// --- the engine's end
// -----------------------------------------------------------------------------------------------

void HttpNetwork::Conversation::handle() {
  const Host& at = host();
  if (at.life != life_ || at.listener.router == nullptr) return;
  const ServiceTimes& times = at.listener.clock->times();
  at.listener.clock->charge(times.request + of_bytes(times.kib, call_.body.size()));
  http::Request request = request_of(call_, id_);
  http::Responder responder(weak_from_this());
  const auto target = http::parse_target(request.target());
  if (!target) return responder.fail({400, target.error().code, target.error().message});
  auto found = at.listener.router->find(request.method, *target);
  const auto* match = std::get_if<http::Router::Match>(&found);
  if (match == nullptr) return responder.fail({404, "not_found", "there is nothing here"});
  request.parameters = match->parameters;
  match->route->handler(std::move(request), std::move(responder));
}

// The engine hears of it if the way there is open; half open otherwise.
void HttpNetwork::Conversation::client_goes() {
  client_open_ = false;
  if (const auto copy = copy_.lock()) copy->client_goes();
  if (host().parted_to) return;
  network_.timeline_.after(network_.latency(from_),
                           [self = shared_from_this()] { self->told_that_client_has_gone(); });
}

void HttpNetwork::Conversation::told_that_client_has_gone() {
  gone_before_arrival_ = !arrived_;
  const Host& at = host();
  if (!server_open_ || at.life != life_ || at.listener.clock == nullptr) return;
  at.listener.clock->post([self = shared_from_this()] {
    if (!self->close_server_end()) return;
    if (auto hook = std::exchange(self->interrupt_, {})) hook(http::Interrupt::client_gone);
  });
}

bool HttpNetwork::Conversation::close_server_end() {
  if (!std::exchange(server_open_, false)) return false;
  host().accepted.erase(id_);
  return true;
}

void HttpNetwork::Conversation::respond(http::Response response, http::LossHook lost) {
  if (!close_server_end()) {
    // The engine knows that the client has gone.
    const Host& at = host();
    if (lost && at.life == life_ && at.listener.clock != nullptr) at.listener.clock->post(std::move(lost));
    return;
  }
  interrupt_ = {};
  const ServiceTimes& times = host().listener.clock->times();
  host().listener.clock->charge(times.answer + of_bytes(times.kib, response.body.size()));
  if (!is_heard()) return;
  ++network_.traffic_.answers;
  network_.traffic_.bytes += response.body.size();
  if (network_.fate_.occasion(network_.fate_.site(from_ + ".lost_answer"), network_.faults_.lost_answer)) {
    return;
  }
  HttpAnswer answer{response.status, std::move(response.headers), std::move(response.body), to_, life_};
  const SimTime leaves = host().listener.clock->free_at();
  network_.timeline_.at(leaves + network_.latency(from_),
                        [self = shared_from_this(), answer = std::move(answer)]() mutable {
                          if (!self->host().parted_from) self->network_.finish(self->id_, std::move(answer));
                        });
}

void HttpNetwork::Conversation::start_stream(http::Response) {
  last_piece_ = network_.timeline_.now();
}

void HttpNetwork::Conversation::stream_write(std::string_view bytes) {
  broken_ = broken_ || host().parted_from;
  if (!server_open_ || broken_) return;
  if (!client_open_) return client_goes();  // its machine says that there is no such connection
  last_piece_ = std::max(last_piece_, network_.timeline_.now() + network_.latency(from_));
  network_.timeline_.at(last_piece_, [self = shared_from_this(), piece = std::string(bytes)] {
    self->broken_ = self->broken_ || self->host().parted_from;
    if (!self->stream_ || self->broken_) return;
    const auto told = self->stream_->piece;  // which may close the stream
    told(piece);
  });
}

void HttpNetwork::Conversation::stream_end() {
  if (!close_server_end() || !is_heard() || broken_) return;
  interrupt_ = {};
  last_piece_ = std::max(last_piece_, network_.timeline_.now() + network_.latency(from_));
  network_.timeline_.at(last_piece_, [self = shared_from_this()] {
    if (!self->broken_) self->network_.finish(self->id_, fail("ended", "the stream has ended"));
  });
}

}  // namespace ganglion::sim
