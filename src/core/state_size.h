#pragma once

// How large a session's state may get, the same for every store and for what runs write.

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/state.h"
#include "core/workflow.h"

namespace ganglion {

struct StateSize {
  std::uint64_t keys = 0;
  std::uint64_t bytes = 0;  // of the values

  void add(std::uint64_t value_bytes) {
    ++keys;
    bytes += value_bytes;
  }
  void remove(std::uint64_t value_bytes) {
    --keys;
    bytes -= value_bytes;
  }
};

// A session beyond its bounds may still shrink.
inline bool may_become(const StateSize& before, const StateSize& after) {
  return (after.keys <= kMaxStateKeys || after.keys <= before.keys) &&
         (after.bytes <= kMaxStateBytes || after.bytes <= before.bytes);
}

inline Error state_too_large() {
  return {"too_large", "the session's state would hold more than " + std::to_string(kMaxStateKeys) +
                           " keys or " + std::to_string(kMaxStateBytes >> 20) + " MiB; remove keys first"};
}

// Whether the state may become what it is after these writes. Null: it is empty.
inline bool has_room(const StateSnapshot* state, const std::vector<StateWrite>& writes) {
  StateSize before;
  if (state != nullptr) {
    for (const auto& [key, entry] : state->entries) before.add(entry.value.size());
  }
  StateSize after = before;
  for (std::size_t i = 0; i < writes.size(); ++i) {
    // Of several writes of a key the last is what stays.
    bool written_again = false;
    for (std::size_t j = i + 1; j < writes.size(); ++j) written_again |= writes[j].key == writes[i].key;
    if (written_again) continue;
    const auto old = state ? state->entries.find(writes[i].key) : decltype(state->entries.end()){};
    if (state != nullptr && old != state->entries.end()) after.remove(old->second.value.size());
    if (writes[i].value) after.add(writes[i].value->size());
  }
  return may_become(before, after);
}

}  // namespace ganglion
