#include "adapters/redis/bus_consumers.h"

#include <algorithm>
#include <utility>

#include "adapters/redis/library.h"
#include "adapters/redis/refusal.h"
#include "base/asio/asio.h"
#include "ports/bus_check.h"

namespace ganglion::redis {
namespace {

// How often what the dead had is looked for, and how often consumers that wait to be woken look all the same.
constexpr std::chrono::milliseconds kReap{200};
// The same for queues that this process only declares: their consumers may all be plain clients.
constexpr std::chrono::milliseconds kReapDeclared{1000};
// Of one settling call; Redis does nothing else meanwhile.
constexpr std::size_t kMaxSettledWords = 3 * 256;

constexpr std::string_view kSession = "bus-session:";  // as in library/bus.lua

}  // namespace

EntryMessage message_of(Reply& entry) {
  EntryMessage read;
  if (entry.elements.size() < 2) return read;
  std::vector<Reply>& fields = entry.elements[1].elements;
  for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
    const std::string_view name = fields[i].text;
    std::string& value = fields[i + 1].text;
    if (name == "id") {
      read.message.id = std::move(value);
    } else if (name == "type") {
      read.message.type = std::move(value);
    } else if (name == "reply_to") {
      read.message.reply_to = std::move(value);
    } else if (name == "body") {
      read.message.body = std::move(value);
      read.has_body = true;
    } else if (name == "deliveries") {
      read.redelivered = value != "0";
    }
  }
  return read;
}

BusConsumers::BusConsumers(asio::io_context& context, Link& link, const Url& url)
    : context_(context), link_(link), base_(url.base_key()) {}

BusConsumers::~BusConsumers() = default;

ConsumerId BusConsumers::add(std::string queue, std::uint32_t prefetch, Bus::Consumer consumer) {
  last_consumer_ = last_consumer_.next();
  subscriptions_.emplace(last_consumer_,
                         Subscription{.queue = std::move(queue),
                                      .prefetch = prefetch,
                                      .consumer = std::make_shared<Bus::Consumer>(std::move(consumer))});
  fetch(last_consumer_);
  return last_consumer_;
}

void BusConsumers::cancel(ConsumerId id) {
  const auto subscription = subscriptions_.extract(id);
  if (subscription.empty()) return;
  for (auto held = held_.begin(); held != held_.end();) {
    if (held->second.consumer != id) {
      ++held;
      continue;
    }
    say_settled(held->second.queue, "back", std::move(held->second.entry), {});
    held = held_.erase(held);
  }
}

void BusConsumers::wake(const std::string& queue) {
  for (auto& [id, subscription] : subscriptions_) {
    if (subscription.queue != queue) continue;
    subscription.idle = false;
    subscription.woken = subscription.asking;
    fetch(id);
  }
}

// Each connection is a session: what the last one had is gone as soon as somebody looks.
void BusConsumers::ready() {
  if (!session_.empty()) tell({"leave", session_});
  session_ = std::string(kSession) + link_.writer() + '.' + std::to_string(++sessions_);
  tell({"live", session_});
  for (const auto& [id, subscription] : subscriptions_) fetch(id);
}

void BusConsumers::lost() {
  held_.clear();
  settled_.clear();
  for (auto& [id, subscription] : subscriptions_) {
    subscription.held = 0;
    subscription.asking = subscription.idle = subscription.woken = false;
  }
}

void BusConsumers::tick() {
  if (!link_.ready()) return;
  tell({"live", session_});
  const auto now = Steady::now();
  if (now - reaped_declared_ >= kReapDeclared) {
    reaped_declared_ = now;
    for (const std::string& queue : declared_) tell({"reap", queue});
  }
  if (now - reaped_ < kReap) return;
  reaped_ = now;
  std::set<std::string> queues;
  for (const auto& [id, subscription] : subscriptions_) queues.insert(subscription.queue);
  for (const std::string& queue : queues) {
    tell({"reap", queue});
    wake(queue);
  }
}

void BusConsumers::fetch(ConsumerId id) {
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end() || !link_.ready()) return;
  Subscription& subscription = found->second;
  if (subscription.asking || subscription.idle || subscription.held >= subscription.prefetch) return;
  const std::uint32_t count = std::min(subscription.prefetch - subscription.held, kMaxFetch);
  subscription.asking = true;
  subscription.woken = false;
  ask({"fetch", subscription.queue, session_, std::to_string(count)},
      [this, id, count, queue = subscription.queue](Reply reply) {
        fetched(id, queue, count, std::move(reply));
      });
}

// What comes for a consumer that has been cancelled meanwhile goes back.
void BusConsumers::fetched(ConsumerId id, const std::string& queue, std::uint32_t count, Reply reply) {
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end()) {
    for (Reply& entry : reply.elements) say_settled(queue, "back", entry.elements[0].text, {});
    return;
  }
  Subscription& subscription = found->second;
  subscription.asking = false;
  subscription.idle = reply.elements.size() < count && !std::exchange(subscription.woken, false);
  if (!reply.elements.empty())
    deliver(id, std::move(reply.elements));
  else
    fetch(id);
}

// All are held before the first is delivered: the consumer may be cancelled in between.
void BusConsumers::deliver(ConsumerId id, std::vector<Reply> entries) {
  Subscription& subscription = subscriptions_.at(id);
  const std::shared_ptr<Bus::Consumer> consumer = subscription.consumer;
  std::vector<Delivery> deliveries;
  for (Reply& entry : entries) {
    EntryMessage read = message_of(entry);
    std::string& name = entry.elements[0].text;
    if (!read.has_body || !fits(read.message)) {
      say_settled(subscription.queue, "buried", std::move(name), read.has_body ? "too large" : "no body");
      continue;
    }
    last_tag_ = last_tag_.next();
    held_.emplace(last_tag_, Held{id, subscription.queue, std::move(name)});
    deliveries.push_back({last_tag_, std::move(read.message), read.redelivered});
  }
  subscription.held += static_cast<std::uint32_t>(deliveries.size());
  fetch(id);
  const std::weak_ptr alive = alive_;
  for (Delivery& delivery : deliveries) {
    if (!held_.contains(delivery.tag)) continue;
    (*consumer)(std::move(delivery));
    if (alive.expired()) return;
  }
}

void BusConsumers::settle(DeliveryTag delivery, std::string_view fate, std::string reason) {
  auto held = held_.extract(delivery);
  if (held.empty()) return;
  --subscriptions_.at(held.mapped().consumer).held;
  say_settled(held.mapped().queue, fate, std::move(held.mapped().entry), std::move(reason));
}

void BusConsumers::say_settled(const std::string& queue, std::string_view fate, std::string entry,
                               std::string reason) {
  std::vector<std::string>& words = settled_[queue];
  words.emplace_back(fate);
  words.push_back(std::move(entry));
  words.push_back(std::move(reason));
  flush_soon();
}

void BusConsumers::flush_soon() {
  if (std::exchange(flush_is_due_, true)) return;
  asio::post(context_, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    flush_is_due_ = false;
    flush();
  });
}

void BusConsumers::flush() {
  if (!link_.ready()) return;
  for (const auto& [queue, words] : std::exchange(settled_, {})) {
    for (std::size_t first = 0; first < words.size(); first += kMaxSettledWords) {
      const std::size_t size = std::min(kMaxSettledWords, words.size() - first);
      std::string bytes;
      append_word_count(bytes, 7 + size);
      for (const std::string_view word :
           {std::string_view("FCALL"), std::string_view(library().bus), std::string_view("1"),
            std::string_view(base_), std::string_view("settle"), std::string_view(queue),
            std::string_view(session_)})
        append_word(bytes, word);
      for (std::size_t i = first; i < first + size; ++i) append_word(bytes, words[i]);
      link_.send(bytes, [this](const Reply& reply) {
        if (reply.is_error()) link_.drop(reply.text);
      });
    }
  }
  for (const auto& [id, subscription] : subscriptions_) fetch(id);
}

// An error of a server that has become another one ends the connection, and everything begins anew.
void BusConsumers::ask(std::initializer_list<std::string_view> words, Connection::Answer answer) {
  std::string bytes;
  append_word_count(bytes, 4 + words.size());
  for (const std::string_view word : {std::string_view("FCALL"), std::string_view(library().bus),
                                      std::string_view("1"), std::string_view(base_)})
    append_word(bytes, word);
  for (const std::string_view word : words) append_word(bytes, word);
  link_.send(bytes, [this, answer = std::move(answer)](Reply reply) mutable {
    if (reply.is_error()) return link_.drop(reply.text);
    answer(std::move(reply));
  });
}

void BusConsumers::tell(std::initializer_list<std::string_view> words) {
  ask(words, [](const Reply&) {});
}

}  // namespace ganglion::redis
