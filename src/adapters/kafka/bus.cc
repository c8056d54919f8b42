#include "adapters/kafka/bus.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "adapters/kafka/consumers.h"
#include "adapters/kafka/ears.h"
#include "adapters/kafka/errands.h"
#include "adapters/kafka/handouts.h"
#include "adapters/kafka/names.h"
#include "adapters/kafka/patience.h"
#include "adapters/kafka/producer.h"
#include "adapters/kafka/publisher.h"
#include "adapters/kafka/queues.h"
#include "adapters/kafka/reader.h"
#include "adapters/kafka/returns.h"
#include "adapters/kafka/session.h"
#include "adapters/kafka/url.h"
#include "base/asio/asio.h"
#include "ports/bus_check.h"

namespace ganglion::kafka {
namespace {

using Steady = std::chrono::steady_clock;

constexpr auto kTurn = std::chrono::milliseconds(50);  // of the loop while it waits to be there
// However little patience there is for a call: the first topics take a while.
constexpr auto kLeastToOpen = std::chrono::milliseconds(20'000);
constexpr auto kTick = std::chrono::milliseconds(100);  // of everything that depends on time
// What is said on topics; who is away for longer is told that it has lost something.
constexpr const char* kTopicsKeptMs = "60000";

// The ledger goes on with a single replica in sync: what it is told makes room, and nothing that it loses is
// worse than a message that comes twice.
std::vector<NewTopic> common_topics(const Names& names) {
  Settings ledger = settings_that_keep();
  ledger.emplace_back("min.insync.replicas", "1");
  return {{.name = names.ledger(), .settings = std::move(ledger)},
          {.name = names.topics(),
           .settings = {{"retention.ms", kTopicsKeptMs},
                        {"segment.ms", kTopicsKeptMs},
                        {"cleanup.policy", "delete"},
                        {"min.insync.replicas", "1"},
                        {"max.message.bytes", std::to_string(kMaxRecord)}}}};
}

}  // namespace

class Bus::Parts {
 public:
  Parts(asio::io_context& context, const Url& url, const Options& options, std::unique_ptr<Producer> writes,
        std::unique_ptr<Reader> reads)
      : names(url),
        producer(std::move(writes)),
        reader(std::move(reads)),
        errands(context, reader->handle(), options.patience),
        session(context, *producer, *reader, names,
                {.changed = [this](const Change& change) { consumers.changed(change); },
                 .lost =
                     [this] {
                       consumers.lost();
                       returns.lost();
                       handouts.lost();
                     },
                 .began = [this] { consumers.began(); },
                 .shorten = [this](Offset first) { errands.shorten(names.ledger(), {first}); }}),
        patience(options.patience),
        publisher(context, session, *producer, patience, names),
        queues(session, errands, patience, names),
        returns(session, *producer, errands, names),
        consumers(context, session, *reader, returns, names),
        ears(*producer, *reader, patience, names, options.silence),
        handouts(session, consumers, *producer, errands, names),
        timer(context) {}

  // False where the time is over first.
  bool begin(asio::io_context& context, std::chrono::milliseconds time) {
    reader->on_trouble([this] { ears.trouble(); });
    make_common_topics();
    for (const auto end = Steady::now() + std::max(time, kLeastToOpen); Steady::now() < end;) {
      context.run_one_for(kTurn);
      if (copies && !started) start();
      if (started && session.is_live()) return true;
    }
    if (problem.empty()) problem = producer->problem();
    return false;
  }

  void tick_later() {
    timer.expires_after(kTick);
    timer.async_wait([this, still_here = std::weak_ptr(alive)](const boost::system::error_code& error) {
      if (error || still_here.expired()) return;
      tick_later();
      tick();
    });
  }

  const Names names;
  std::unique_ptr<Producer> producer;
  std::unique_ptr<Reader> reader;
  Errands errands;
  Session session;
  Patience patience;
  Publisher publisher;
  Queues queues;
  Returns returns;
  Consumers consumers;
  Ears ears;
  Handouts handouts;
  std::optional<int> copies;  // that Kafka keeps of everything
  std::string problem;

 private:
  void make_common_topics() {
    errands.create(common_topics(names), [this](const Result<void>& made) {
      if (!made) return try_again(made.error());
      errands.copies(names.ledger(), [this](const Result<int>& count) {
        if (!count) return try_again(count.error());
        copies = *count;
      });
    });
  }

  void try_again(const Error& error) {
    problem = error.message;
    make_common_topics();
  }

  void start() {
    started = true;
    session.start();
    tick_later();
  }

  // Completions may destroy everything.
  void tick() {
    const std::weak_ptr still_here = alive;
    session.tick();
    returns.tick();
    queues.tick();
    handouts.tick();
    ears.tick();
    patience.tick(producer->problem());
  }

  bool started = false;
  LoopTimer timer;
  std::shared_ptr<const char> alive = std::make_shared<const char>('\0');
};

Bus::Bus(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Bus::~Bus() = default;

Result<std::unique_ptr<Bus>> Bus::open(asio::io_context& context, Options options) {
  const auto url = parse_url(options.url);
  if (!url) return std::unexpected(url.error());
  if (const auto& library = load_rdkafka(); !library) return fail("bus_unavailable", library.error().message);
  const ClientOptions client{.servers = url->servers(), .silence = options.silence};
  auto producer = Producer::open(context, client, options.patience);
  if (!producer) return std::unexpected(std::move(producer.error()));
  auto reader = Reader::open(context, client);
  if (!reader) return std::unexpected(std::move(reader.error()));
  auto parts = std::make_unique<Parts>(context, *url, options, std::move(*producer), std::move(*reader));
  const auto guard = asio::make_work_guard(context);
  context.restart();
  if (parts->begin(context, options.patience)) return std::unique_ptr<Bus>(new Bus(std::move(parts)));
  return fail("bus_unavailable", "Kafka can't be used: " + parts->problem);
}

void Bus::declare(std::string queue, QueueOptions options, Completion<Result<void>> done) {
  assert_bus_name(queue);
  parts_->queues.declare(queue, options, std::move(done));
}

void Bus::publish(std::string queue, BusMessage message, Completion<Result<void>> done) {
  assert_bus_name(queue);
  parts_->publisher.publish(std::move(queue), std::move(message), std::move(done));
}

ConsumerId Bus::consume(std::string queue, std::uint32_t prefetch, Consumer consumer) {
  assert_bus_name(queue);
  GANGLION_ASSERT(prefetch > 0);
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
  parts_->queues.depth(queue, std::move(done));
}

void Bus::dead_letters(std::string queue, std::uint32_t limit,
                       Completion<Result<std::vector<BusMessage>>> done) {
  assert_bus_name(queue);
  parts_->queues.dead_letters(queue, limit, std::move(done));
}

void Bus::remove(std::string queue, Completion<Result<void>> done) {
  assert_bus_name(queue);
  parts_->queues.remove(queue, std::move(done));
}

void Bus::broadcast(std::string topic, BusMessage message) {
  assert_bus_name(topic);
  if (fits(message)) parts_->publisher.broadcast(topic, message);
}

void Bus::listen(std::string topic, Listener listener, std::function<void()> lost,
                 Completion<Result<void>> ready) {
  assert_bus_name(topic);
  parts_->ears.add(std::move(topic), std::move(listener), std::move(lost), std::move(ready));
}

std::vector<std::string> Bus::weaker_promises() const {
  std::vector<std::string> promises{
      "Kafka gives a message from one plain client that has died to another without marking or counting it"};
  if (parts_->copies == 1) {
    promises.emplace_back(
        "Kafka keeps one copy of everything, and confirms publications that are not on disk yet: a machine "
        "that "
        "fails loses those of the last half minute; set `default.replication.factor` to 3 and "
        "`min.insync.replicas` to 2 before the first start");
  }
  return promises;
}

}  // namespace ganglion::kafka
