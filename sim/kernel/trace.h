#pragma once

// The story of a world as one number: every step that can be told apart goes into it, in order. Two runs of a
// seed have the same hash on any machine and under any compiler, or something in them is not deterministic.
// Whoever wants to read the story gives a sink for its lines.

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

#include "sim/kernel/draw.h"
#include "sim/kernel/timeline.h"

namespace ganglion::sim {

class Trace {
 public:
  // A line is `who what details`.
  using Sink =
      std::function<void(SimTime at, std::string_view who, std::string_view what, std::string_view details)>;

  explicit Trace(const Timeline& timeline, Sink sink = {}) : timeline_(timeline), sink_(std::move(sink)) {}

  void add(std::string_view who, std::string_view what, std::string_view details = {}) {
    hash_ = mix(hash_ ^ static_cast<std::uint64_t>(timeline_.now().count()), mix_text(who));
    hash_ = mix(mix(hash_, mix_text(what)), mix_text(details));
    if (sink_) sink_(timeline_.now(), who, what, details);
  }

  std::uint64_t hash() const { return hash_; }
  // Whether it is worth making details for people.
  bool is_read() const { return static_cast<bool>(sink_); }

 private:
  const Timeline& timeline_;
  Sink sink_;
  std::uint64_t hash_ = 0;
};

}  // namespace ganglion::sim
