#pragma once

// What queues are in the broker. Quorum queues: on disk before a confirmation, on most nodes of a cluster;
// they count deliveries, and hand their dead letters over only once those are on disk as well, for which they
// have to refuse publications when they are full (dead-letter-strategy at-least-once).

#include <string>

#include "adapters/rabbitmq/frames.h"
#include "adapters/rabbitmq/names.h"
#include "ports/bus.h"

namespace ganglion::rabbitmq {

// Appends the methods that make the queue and its dead letters, whose names `names` gives.
inline constexpr std::size_t kDeclareAnswers = 2;
void append_declare(std::string& bytes, Channel channel, const Names& names, const std::string& queue,
                    const QueueOptions& options);
// Whose answer has the queue's depth.
void append_look(std::string& bytes, Channel channel, const std::string& queue);
void append_get(std::string& bytes, Channel channel, const std::string& queue);
inline constexpr std::size_t kRemoveAnswers = 2;
void append_remove(std::string& bytes, Channel channel, const Names& names, const std::string& queue);

}  // namespace ganglion::rabbitmq
