#include "adapters/nats/bus.h"

#include <map>
#include <utility>

#include "adapters/nats/burials.h"
#include "adapters/nats/consumers.h"
#include "adapters/nats/ears.h"
#include "adapters/nats/headers.h"
#include "adapters/nats/publisher.h"
#include "adapters/nats/queues.h"
#include "base/asio/asio.h"
#include "ports/bus_check.h"

namespace ganglion::nats {
namespace {

using Steady = std::chrono::steady_clock;

constexpr auto kTurn = std::chrono::milliseconds(50);  // of the loop while it waits for the first connection

}  // namespace

class Bus::Parts {
 public:
  Parts(asio::io_context& context, Url parsed, const Options& options)
      : url(std::move(parsed)),
        link(context, url, options.silence),
        requests(context, link),
        publisher(context, link, names, options.patience),
        queues(link, requests, names, options.patience),
        burials(link, queues),
        exhausted(link, requests, names, queues, options.patience),
        consumers(context, link, names, queues, burials, exhausted),
        ears(link, names, options.patience) {}

  void start() {
    link.start({.ready = [this] { link_ready(); },
                .lost =
                    [this] {
                      publisher.lost();
                      consumers.lost();
                    },
                .tick = [this] { tick(); },
                .stray = [this](const Incoming& incoming) { consumers.stray(incoming); }});
  }

  void declare(std::string queue, QueueOptions options, Completion<Result<void>> done) {
    queues.declare(queue, options,
                   [this, queue, options, done = std::move(done)](Result<void> result) mutable {
                     if (result) {
                       declared[queue] = options;
                       exhausted.watch(queue);
                       consumers.declared(queue);
                     }
                     done(std::move(result));
                   });
  }

  const Url url;
  const Names names{url};
  std::map<std::string, QueueOptions> declared;
  Link link;
  Requests requests;
  Publisher publisher;
  Queues queues;
  Burials burials;
  Exhausted exhausted;
  Consumers consumers;
  Ears ears;

 private:
  void link_ready() {
    requests.ready();
    exhausted.ready();
    consumers.ready();
    ears.ready();
    mend_queues();
  }

  // A server that was replaced by an empty one gets its queues back, before anything is published to them.
  void mend_queues() {
    const std::uint64_t connection = ++connections;
    mending = declared.size() + 1;
    for (const auto& [queue, options] : declared) {
      queues.look(queue, [this, queue, options, connection](const Result<QueueState>& state) {
        if (state || state.error().code != "unknown_queue") return mended(connection);
        declare(queue, options, [this, connection](const Result<void>&) { mended(connection); });
      });
    }
    mended(connection);
  }

  void mended(std::uint64_t connection) {
    if (connection == connections && --mending == 0 && link.ready()) publisher.ready();
  }

  // Completions may destroy everything.
  void tick() {
    const std::weak_ptr still_here = alive;
    consumers.tick();
    burials.tick();
    exhausted.tick();
    requests.tick();
    if (!still_here.expired()) publisher.tick();
    if (!still_here.expired()) ears.tick();
  }

  std::uint64_t connections = 0;
  std::size_t mending = 0;  // queues, since the last connection
  std::shared_ptr<const char> alive = std::make_shared<const char>('\0');
};

Bus::Bus(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Bus::~Bus() = default;

Result<std::unique_ptr<Bus>> Bus::open(asio::io_context& context, Options options) {
  auto url = parse_url(options.url);
  if (!url) return std::unexpected(std::move(url.error()));
  auto parts = std::make_unique<Parts>(context, std::move(*url), options);
  parts->start();
  const auto guard = asio::make_work_guard(context);
  context.restart();
  for (const auto end = Steady::now() + options.patience; !parts->link.ready() && Steady::now() < end;) {
    context.run_one_for(kTurn);
    if (parts->link.refused()) break;
  }
  if (parts->link.ready()) return std::unique_ptr<Bus>(new Bus(std::move(parts)));
  return fail("bus_unavailable", "NATS can't be used: " + parts->link.problem());
}

void Bus::declare(std::string queue, QueueOptions options, Completion<Result<void>> done) {
  assert_bus_name(queue);
  parts_->declare(std::move(queue), options, std::move(done));
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
  parts_->queues.look(std::move(queue), [done = std::move(done)](const Result<QueueState>& state) mutable {
    if (!state) return done(std::unexpected(state.error()));
    done(state->waiting);
  });
}

void Bus::dead_letters(std::string queue, std::uint32_t limit,
                       Completion<Result<std::vector<BusMessage>>> done) {
  assert_bus_name(queue);
  parts_->queues.dead_letters(std::move(queue), limit, std::move(done));
}

void Bus::remove(std::string queue, Completion<Result<void>> done) {
  assert_bus_name(queue);
  parts_->declared.erase(queue);
  parts_->exhausted.forget(queue);
  parts_->queues.remove(queue,
                        [parts = parts_.get(), queue, done = std::move(done)](Result<void> result) mutable {
                          if (result) parts->consumers.removed(queue);
                          done(std::move(result));
                        });
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
      "NATS confirms publications that are not on disk yet: a machine that fails loses those of about two "
      "minutes, a server that is killed none",
      "NATS counts deliveries loosely: now and then a message that comes again isn't marked, above all one "
      "that was delivered right before the server was killed"};
  const std::size_t max_payload = parts_->link.info().max_payload;
  if (max_payload < kMaxBusMessage + kMaxHeaders) {
    promises.push_back("NATS takes messages of " + std::to_string(max_payload) +
                       " bytes only; set `max_payload: 8MB` in its configuration");
  }
  return promises;
}

}  // namespace ganglion::nats
