#pragma once

// One write that waits for its turn: the calls that make it, what they lock, and who is told. It keeps its
// calls until it is answered, since a group may have to be sent again.

#include <cstddef>
#include <expected>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "adapters/postgres/connection.h"
#include "ports/store.h"

namespace ganglion::postgres {

using Results = std::span<const ResultPtr>;
// The answers to the calls, in their order; or why nothing was written.
using WriteAnswer = std::expected<Results, std::string>;

// What a group locks before it begins, see schema_functions.h.
struct Locks {
  std::vector<RunId> runs = {};
  std::vector<std::string> sessions = {};
  bool claims = false;
  bool publishes = false;
};

struct Write {
  std::vector<Call> calls = {};
  Locks locks = {};
  Timestamp time = {};  // the latest that it brings
  // Is a group of its own: what it locks only the server knows.
  bool alone = false;
  // Once, on the event loop and not inside any call of ours.
  std::move_only_function<void(WriteAnswer)> done = {};

  // Since the last time that it was sent.
  std::vector<ResultPtr> results = {};
  // Why it won't be written; empty where it is to be.
  std::string refused = {};

  std::size_t bytes() const {
    std::size_t bytes = sizeof(*this);
    for (const Call& call : calls) bytes += sizeof(call) + call.params.bytes();
    return bytes;
  }
};

}  // namespace ganglion::postgres
