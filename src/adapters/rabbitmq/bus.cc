#include "adapters/rabbitmq/bus.h"

#include <algorithm>
#include <map>
#include <utility>

#include "adapters/rabbitmq/consumers.h"
#include "adapters/rabbitmq/ears.h"
#include "adapters/rabbitmq/errands.h"
#include "adapters/rabbitmq/link.h"
#include "adapters/rabbitmq/publisher.h"
#include "adapters/rabbitmq/queues.h"
#include "base/asio/asio.h"
#include "ports/bus_check.h"

namespace ganglion::rabbitmq {
namespace {

using Steady = std::chrono::steady_clock;

constexpr auto kTurn = std::chrono::milliseconds(50);  // of the loop while it waits for the first connection

Error error_of(const ErrandFailure& failure, const std::string& queue) {
  if (failure.code == AMQP_NOT_FOUND) return unknown_queue(queue).error();
  if (failure.code == AMQP_PRECONDITION_FAILED) {
    return {"queue_differs",
            "RabbitMQ has the queue \"" + queue +
                "\" with other options; remove it there once it is empty: " + failure.reason};
  }
  return {"unavailable", failure.reason};
}

}  // namespace

class Bus::Parts {
 public:
  Parts(asio::io_context& context, Url parsed, const Options& options)
      : url(std::move(parsed)),
        publishing(context, url, options.silence),
        consuming(context, url, options.silence),
        publisher(context, publishing, names, options.patience),
        errands(context, consuming, options.patience),
        consumers(context, consuming, names),
        ears(consuming, names, options.patience) {}

  void start() {
    publishing.start({.ready = [this] { publisher.ready(); },
                      .lost = [this] { publisher.lost(); },
                      .blocked = [this](bool blocked) { publisher.blocked(blocked); },
                      .tick = [this] { publisher.tick(); }});
    consuming.start({.ready = [this] { consuming_ready(); },
                     .lost = [this] { consuming_lost(); },
                     .tick = [this] { consuming_tick(); }});
  }

  bool ready() const { return publishing.ready() && consuming.ready(); }

  const Url url;
  const Names names{url};
  std::map<std::string, QueueOptions> declared;
  Link publishing;
  Link consuming;
  Publisher publisher;
  Errands errands;
  Consumers consumers;
  Ears ears;

 private:
  // A broker that was replaced by an empty one gets its queues back.
  void consuming_ready() {
    for (const auto& [queue, options] : declared) {
      errands.run(
          kDeclareAnswers,
          [this, queue, options](std::string& bytes, Channel channel) {
            append_declare(bytes, channel, names, queue, options);
          },
          [this, queue](const auto& answers) {
            if (answers) consumers.declared(queue);
          });
    }
    errands.ready();
    consumers.ready();
    ears.ready();
  }

  void consuming_lost() {
    errands.lost();
    consumers.lost();
    ears.lost();
  }

  // Completions may destroy everything.
  void consuming_tick() {
    const std::weak_ptr still_here = alive;
    consumers.tick();
    errands.tick();
    if (!still_here.expired()) ears.tick();
  }

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
  for (const auto end = Steady::now() + options.patience; !parts->ready() && Steady::now() < end;) {
    context.run_one_for(kTurn);
    if (parts->consuming.problem().refused) break;
  }
  if (parts->ready()) return std::unique_ptr<Bus>(new Bus(std::move(parts)));
  return fail("bus_unavailable", "RabbitMQ can't be used: " + parts->consuming.problem().reason);
}

void Bus::declare(std::string queue, QueueOptions options, Completion<Result<void>> done) {
  assert_bus_name(queue);
  Parts& parts = *parts_;
  parts.errands.run(
      kDeclareAnswers,
      [&parts, queue, options](std::string& bytes, Channel channel) {
        append_declare(bytes, channel, parts.names, queue, options);
      },
      [&parts, queue, options, done = std::move(done)](auto answers) mutable {
        if (!answers) return done(std::unexpected(error_of(answers.error(), queue)));
        parts.declared[queue] = options;
        parts.consumers.declared(queue);
        done({});
      });
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

void Bus::bury(DeliveryTag delivery, std::string) {
  parts_->consumers.bury(delivery);
}

void Bus::depth(std::string queue, Completion<Result<std::uint64_t>> done) {
  assert_bus_name(queue);
  parts_->errands.run(
      1,
      [name = parts_->names.queue(queue)](std::string& bytes, Channel channel) {
        append_look(bytes, channel, name);
      },
      [queue, done = std::move(done)](auto answers) mutable {
        if (!answers) return done(std::unexpected(error_of(answers.error(), queue)));
        done(answers->front().messages);
      });
}

void Bus::dead_letters(std::string queue, std::uint32_t limit,
                       Completion<Result<std::vector<BusMessage>>> done) {
  assert_bus_name(queue);
  const std::size_t gets = std::clamp<std::uint32_t>(limit, 1, kMaxDeadLetters);
  parts_->errands.run(
      gets,
      [name = parts_->names.dead_letters(queue), gets](std::string& bytes, Channel channel) {
        for (std::size_t i = 0; i < gets; ++i) append_get(bytes, channel, name);
      },
      [queue, done = std::move(done)](auto answers) mutable {
        if (!answers) return done(std::unexpected(error_of(answers.error(), queue)));
        std::vector<BusMessage> letters;
        for (Answer& answer : *answers) {
          if (answer.method == AMQP_BASIC_GET_OK_METHOD) letters.push_back(std::move(answer.message));
        }
        done(std::move(letters));
      });
}

void Bus::remove(std::string queue, Completion<Result<void>> done) {
  assert_bus_name(queue);
  parts_->declared.erase(queue);
  parts_->errands.run(
      kRemoveAnswers,
      [this, queue](std::string& bytes, Channel channel) {
        append_remove(bytes, channel, parts_->names, queue);
      },
      [queue, done = std::move(done)](auto answers) mutable {
        if (!answers) return done(std::unexpected(error_of(answers.error(), queue)));
        done({});
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
  return {};
}

}  // namespace ganglion::rabbitmq
