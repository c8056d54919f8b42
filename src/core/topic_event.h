#pragma once

// An event on a topic, as it stands in the event log: published by a run, an agent's result or a client.
// CloudEvents 1.0 in substance; `topic` is its `type`. `(source, id)` names it: the same event published
// twice is one event.

#include <cstdint>
#include <optional>
#include <string>

#include "base/payload.h"
#include "base/time.h"
#include "core/ids.h"

namespace ganglion {

struct TopicEvent {
  std::uint64_t seq = 0;  // position in the log, from 1; given by the store
  std::string id;
  std::string source;
  std::string topic;
  std::uint32_t version = 0;  // of the topic's schema; 0: the topic has none
  Timestamp time;
  std::optional<std::string> subject = {};
  Payload data;
  // What caused it: the run that published it, and the event that started that run.
  std::optional<RunId> run = {};
  std::optional<std::string> step = {};
  std::optional<std::uint64_t> cause = {};  // seq of an event
  std::uint32_t hops = 0;                   // length of the chain of causes, at most kMaxHops

  bool operator==(const TopicEvent&) const = default;
};

// What expressions see as `event`, and what a `wait_for` outputs: {id, type, source, time, subject?, data}.
Payload event_payload(const TopicEvent& event);

}  // namespace ganglion
