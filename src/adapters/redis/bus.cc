#include "adapters/redis/bus.h"

#include <optional>
#include <set>
#include <utility>

#include "adapters/redis/bus_consumers.h"
#include "adapters/redis/bus_hearing.h"
#include "adapters/redis/durability.h"
#include "adapters/redis/library.h"
#include "adapters/redis/link.h"
#include "adapters/redis/msgpack.h"
#include "adapters/redis/read_set.h"
#include "base/asio/asio.h"
#include "ports/bus_check.h"

namespace ganglion::redis {
namespace {

using Steady = std::chrono::steady_clock;

constexpr auto kTurn = std::chrono::milliseconds(50);  // of the loop while it waits for the first connection

std::string packed(const BusMessage& message) {
  Packer packer;
  packer.array(4).text(message.id).text(message.type).text(message.reply_to).text(message.body);
  return packer.take();
}

// Empty where the bytes are somebody else's.
BusMessage unpacked(std::string_view bytes) {
  Unpacker unpacker(bytes);
  unpacker.array();
  BusMessage message;
  message.id = unpacker.text();
  message.type = unpacker.text();
  message.reply_to = unpacker.text();
  message.body = unpacker.text();
  return message;
}

// What a function says instead of an answer.
Result<void> outcome(const Result<Reply>& reply, const std::string& queue) {
  if (!reply) return fail("unavailable", reply.error().message);
  if (reply->text == "unknown_queue") return unknown_queue(queue);
  if (reply->text == "overloaded") return overloaded(queue);
  return {};
}

}  // namespace

class Bus::Parts {
 public:
  Parts(asio::io_context& loop, Url parsed, const BusOptions& options)
      : context(loop),
        url(std::move(parsed)),
        asking(context, url, options.silence),
        hearing(context, url, options.silence),
        calls(context, asking, options.patience),
        consumers(context, asking, url),
        ears(hearing, options.patience, options.silence) {}

  void start() {
    asking.start({.ready =
                      [this](const Greeted&) {
                        consumers.ready();
                        calls.ready();
                      },
                  .lost = [this] { consumers.lost(); },
                  .failed = [this](const GreetingFailure& why) { failure = why; },
                  .tick =
                      [this] {
                        consumers.tick();
                        calls.tick();
                      }});
    hearing.start({.ready = [this](const Greeted&) { ears.ready(); },
                   .lost = [] {},
                   .failed = [](const GreetingFailure&) {},
                   .tick = [this] { ears.tick(); }});
  }

  // `done` takes a Result<Reply>.
  void call(std::initializer_list<std::string_view> words, ReadSet::Done done,
            const std::string& function = library().bus) {
    std::string bytes;
    append_word_count(bytes, 4 + words.size());
    for (const std::string_view word : {std::string_view("FCALL"), std::string_view(function),
                                        std::string_view("1"), std::string_view(base)})
      append_word(bytes, word);
    for (const std::string_view word : words) append_word(bytes, word);
    calls.push(std::move(bytes), std::move(done));
  }

  void later(Completion<Result<void>> done, Result<void> result) {
    asio::post(context,
               [done = std::move(done), result = std::move(result), alive = std::weak_ptr(alive)]() mutable {
                 if (!alive.expired()) done(std::move(result));
               });
  }

  std::string channel(std::string_view kind, std::string_view name) const {
    return base + ':' + std::string(kind) + ':' + std::string(name);
  }

  asio::io_context& context;
  const Url url;
  const std::string base = url.base_key();
  Link asking;
  Link hearing;
  ReadSet calls;
  BusConsumers consumers;
  BusHearing ears;
  std::set<std::string> woken;  // queues of whose wakes we hear
  std::size_t publishing_bytes = 0;
  std::optional<GreetingFailure> failure;  // the last one
  std::shared_ptr<const char> alive = std::make_shared<const char>('\0');
};

Bus::Bus(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Bus::~Bus() = default;

Result<std::unique_ptr<Bus>> Bus::open(asio::io_context& context, BusOptions options) {
  auto url = parse_url(options.url);
  if (!url) return fail("unknown_bus", std::move(url.error().message));
  auto parts = std::make_unique<Parts>(context, std::move(*url), options);
  parts->start();
  const auto ready = [&] { return parts->asking.ready() && parts->hearing.ready(); };
  const auto guard = asio::make_work_guard(context);
  context.restart();
  for (const auto end = Steady::now() + options.patience; !ready() && Steady::now() < end;) {
    context.run_one_for(kTurn);
    if (parts->failure && parts->failure->kind != GreetingFailure::Kind::again)
      return fail("bus_unavailable", parts->failure->reason);
  }
  if (ready()) return std::unique_ptr<Bus>(new Bus(std::move(parts)));
  return fail("bus_unavailable", "Redis can't be reached: " + parts->asking.problem());
}

void Bus::declare(std::string queue, QueueOptions options, Completion<Result<void>> done) {
  assert_bus_name(queue);
  parts_->call({"declare", queue, std::to_string(options.max_length), std::to_string(options.max_deliveries),
                std::to_string(options.claim_after.count())},
               [parts = parts_.get(), queue, done = std::move(done)](const Result<Reply>& reply) mutable {
                 const Result<void> declared = outcome(reply, queue);
                 if (declared) parts->consumers.declared(queue);
                 done(declared);
               });
}

void Bus::publish(std::string queue, BusMessage message, Completion<Result<void>> done) {
  assert_bus_name(queue);
  if (!fits(message)) return parts_->later(std::move(done), too_large(message));
  const std::size_t bytes = bytes_of(message);
  if (parts_->publishing_bytes + bytes > kMaxPublishingBytes)
    return parts_->later(std::move(done),
                         fail("unavailable", "too many publications wait for Redis; try again later"));
  parts_->publishing_bytes += bytes;
  parts_->call(
      {"publish", queue, message.id, message.type, message.reply_to, message.body},
      [parts = parts_.get(), queue, bytes, done = std::move(done)](const Result<Reply>& reply) mutable {
        parts->publishing_bytes -= bytes;
        done(outcome(reply, queue));
      },
      library().publish);
}

ConsumerId Bus::consume(std::string queue, std::uint32_t prefetch, Consumer consumer) {
  assert_bus_name(queue);
  GANGLION_ASSERT(prefetch > 0);
  const auto wake = [parts = parts_.get(), queue] { parts->consumers.wake(queue); };
  if (parts_->woken.insert(queue).second) {
    parts_->ears.subscribe(
        parts_->channel("queue-wakes", queue), [wake](std::string_view) { wake(); },
        [wake](Result<BusHearing::Since>) { wake(); });
  }
  return parts_->consumers.add(std::move(queue), prefetch, std::move(consumer));
}

void Bus::cancel(ConsumerId consumer) {
  parts_->consumers.cancel(consumer);
}

void Bus::acknowledge(DeliveryTag delivery) {
  parts_->consumers.acknowledge(delivery);
}

void Bus::requeue(DeliveryTag delivery) {
  parts_->consumers.requeue(delivery);
}

void Bus::bury(DeliveryTag delivery, std::string reason) {
  parts_->consumers.bury(delivery, std::move(reason));
}

void Bus::depth(std::string queue, Completion<Result<std::uint64_t>> done) {
  assert_bus_name(queue);
  parts_->call({"depth", queue}, [queue, done = std::move(done)](const Result<Reply>& reply) mutable {
    if (const auto well = outcome(reply, queue); !well) return done(std::unexpected(well.error()));
    done(static_cast<std::uint64_t>(reply->integer));
  });
}

void Bus::dead_letters(std::string queue, std::uint32_t limit,
                       Completion<Result<std::vector<BusMessage>>> done) {
  assert_bus_name(queue);
  parts_->call({"dead_letters", queue, std::to_string(limit)},
               [queue, done = std::move(done)](Result<Reply> reply) mutable {
                 if (const auto well = outcome(reply, queue); !well)
                   return done(std::unexpected(well.error()));
                 std::vector<BusMessage> letters;
                 for (Reply& entry : reply->elements) letters.push_back(message_of(entry).message);
                 done(std::move(letters));
               });
}

void Bus::remove(std::string queue, Completion<Result<void>> done) {
  assert_bus_name(queue);
  parts_->consumers.removed(queue);
  parts_->call({"remove", queue}, [queue, done = std::move(done)](const Result<Reply>& reply) mutable {
    done(outcome(reply, queue));
  });
}

void Bus::broadcast(std::string topic, BusMessage message) {
  assert_bus_name(topic);
  if (!fits(message) || !parts_->asking.ready()) return;
  parts_->asking.send(command({"PUBLISH", parts_->channel("topic", topic), packed(message)}),
                      [](const Reply&) {});
}

void Bus::listen(std::string topic, Listener listener, std::function<void()> lost,
                 Completion<Result<void>> ready) {
  assert_bus_name(topic);
  parts_->ears.subscribe(
      parts_->channel("topic", topic),
      [listener = std::move(listener)](std::string_view bytes) { listener(unpacked(bytes)); },
      [lost = std::move(lost), ready = std::move(ready)](Result<BusHearing::Since> since) mutable {
        if (!since) return ready(std::unexpected(since.error()));
        if (*since == BusHearing::Since::first)
          ready({});
        else
          lost();
      });
}

std::vector<std::string> Bus::weaker_promises() const {
  return redis::weaker_promises(parts_->asking.settings().value_or(ServerSettings()), parts_->url.topology);
}

}  // namespace ganglion::redis
