#pragma once

// Everything that a store holds, read through its port, as lines that can be compared: with those of another
// store to which the same was done, or of the same store at another time. A read that fails is one line with
// its error's code, so that a damaged store can be dumped as well.

#include <functional>
#include <string>
#include <vector>

#include "contract/store_driver.h"

namespace ganglion::sqlite::testing {

// What can't be listed: keys to ask for.
struct KnownKeys {
  std::vector<std::string> sessions, cached, blobs, definitions, settings, idempotency_keys;
};

// `what` names what was read and stays the same, `answer` is what came back.
struct DumpLine {
  std::string what;
  std::string answer;
  bool failed = false;  // the answer is an error that says nothing about what the store holds

  bool operator==(const DumpLine&) const = default;
};
using StoreDump = std::vector<DumpLine>;

// `stopped` says when no answers come any more, since the store has found damage while it was writing: then
// the questions that are open have failed. The caller destroys the store before it turns the loop again.
StoreDump dump(
    ganglion::testing::TestLoop& loop, ganglion::Store& store, const KnownKeys& keys,
    const std::function<bool()>& stopped = [] { return false; });

// The first line in which two dumps differ, for a message; empty where they don't.
std::string difference(const StoreDump& expected, const StoreDump& found);

}  // namespace ganglion::sqlite::testing
