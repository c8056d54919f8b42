#include "adapters/rabbitmq/queues.h"

#include <algorithm>

namespace ganglion::rabbitmq {
namespace {

void append_durable(std::string& bytes, Channel channel, const std::string& name, const Table& arguments) {
  amqp_queue_declare_t declare{};
  declare.queue = bytes_of(name);
  declare.durable = 1;
  declare.arguments = arguments.get();
  append_method(bytes, channel, AMQP_QUEUE_DECLARE_METHOD, declare);
}

void append_delete(std::string& bytes, Channel channel, const std::string& name) {
  amqp_queue_delete_t remove{};
  remove.queue = bytes_of(name);
  append_method(bytes, channel, AMQP_QUEUE_DELETE_METHOD, remove);
}

}  // namespace

void append_declare(std::string& bytes, Channel channel, const Names& names, const std::string& queue,
                    const QueueOptions& options) {
  const std::string dead_letters = names.dead_letters(queue);
  Table dead;
  dead.text("x-queue-type", "quorum").number("x-max-length", kMaxDeadLetters).text("x-overflow", "drop-head");
  append_durable(bytes, channel, dead_letters, dead);
  Table arguments;
  arguments.text("x-queue-type", "quorum")
      .number("x-max-length", static_cast<std::int64_t>(options.max_length))
      .text("x-overflow", "reject-publish")
      // It counts how often a message has come back.
      .number("x-delivery-limit", std::max<std::int64_t>(options.max_deliveries, 1) - 1)
      .text("x-dead-letter-exchange", "")
      .text("x-dead-letter-routing-key", dead_letters)
      .text("x-dead-letter-strategy", "at-least-once");
  append_durable(bytes, channel, names.queue(queue), arguments);
}

void append_look(std::string& bytes, Channel channel, const std::string& queue) {
  amqp_queue_declare_t look{};
  look.queue = bytes_of(queue);
  look.passive = 1;
  append_method(bytes, channel, AMQP_QUEUE_DECLARE_METHOD, look);
}

void append_get(std::string& bytes, Channel channel, const std::string& queue) {
  amqp_basic_get_t get{};
  get.queue = bytes_of(queue);
  append_method(bytes, channel, AMQP_BASIC_GET_METHOD, get);
}

void append_remove(std::string& bytes, Channel channel, const Names& names, const std::string& queue) {
  append_delete(bytes, channel, names.queue(queue));
  append_delete(bytes, channel, names.dead_letters(queue));
}

}  // namespace ganglion::rabbitmq
