#pragma once

// The entries of a map in their order, with a sorted index beside them once there are enough to be worth one.
// Keys of different numeric types that are equal are one key, so keys are compared in a canonical form.

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/expr/value.h"

namespace ganglion::expr {

// Keys order as false < true < negative numbers < other numbers < strings.
struct MapKey {
  enum class Rank : std::uint8_t { boolean, negative, non_negative, string };

  Rank rank;
  std::uint64_t number = 0;
  std::string_view text;  // into the value that the key was made from

  static MapKey of_text(std::string_view text) { return {Rank::string, 0, text}; }
  // What `value` finds in a map; a double finds the integer that it equals. Nothing: no map has such a key.
  static std::optional<MapKey> of(const Value& value);

  auto operator<=>(const MapKey&) const = default;
};

class MapData {
 public:
  static Result<MapData> unique(std::vector<Value::Entry> entries);
  // Keys are strings.
  static MapData last_wins(std::vector<Value::Entry> entries);

  const std::vector<Value::Entry>& entries() const { return entries_; }
  const Value* find(const MapKey& key) const;

 private:
  // Up to here a scan is as fast as an index.
  static constexpr std::size_t kScanned = 8;

  explicit MapData(std::vector<Value::Entry> entries) : entries_(std::move(entries)) {}
  // Positions in the order of their keys; equal keys stay in the order of their positions.
  std::vector<std::uint32_t> sorted() const;

  std::vector<Value::Entry> entries_;
  std::vector<std::uint32_t> index_;  // empty up to kScanned
};

}  // namespace ganglion::expr
