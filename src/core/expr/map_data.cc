#include "core/expr/map_data.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace ganglion::expr {
namespace {

MapKey key_of_integer(std::int64_t value) {
  return {
      value < 0 ? MapKey::Rank::negative : MapKey::Rank::non_negative, static_cast<std::uint64_t>(value), {}};
}

std::optional<MapKey> key_of_double(double value) {
  if (!std::isfinite(value) || value != std::trunc(value)) return std::nullopt;
  if (value < 0) {
    if (value < -0x1p63) return std::nullopt;
    return key_of_integer(static_cast<std::int64_t>(value));
  }
  if (value >= 0x1p64) return std::nullopt;
  return MapKey{MapKey::Rank::non_negative, static_cast<std::uint64_t>(value), {}};
}

// Of an entry: its key was checked when the map was made.
MapKey key_of(const Value::Entry& entry) {
  return *MapKey::of(entry.first);
}

}  // namespace

std::optional<MapKey> MapKey::of(const Value& value) {
  switch (value.kind()) {
    case Kind::boolean:
      return MapKey{Rank::boolean, value.as_boolean() ? 1U : 0U, {}};
    case Kind::integer:
      return key_of_integer(value.as_integer());
    case Kind::unsigned_integer:
      return MapKey{Rank::non_negative, value.as_unsigned_integer(), {}};
    case Kind::real:
      return key_of_double(value.as_real());
    case Kind::string:
      return of_text(value.as_string());
    case Kind::null:
    case Kind::bytes:
    case Kind::list:
    case Kind::map:
    case Kind::timestamp:
    case Kind::duration:
    case Kind::type:
      return std::nullopt;
  }
  return std::nullopt;
}

std::vector<std::uint32_t> MapData::sorted() const {
  std::vector<std::uint32_t> order(entries_.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, {}, [&](std::uint32_t i) { return std::pair(key_of(entries_[i]), i); });
  return order;
}

Result<MapData> MapData::unique(std::vector<Value::Entry> entries) {
  for (const auto& [key, value] : entries) {
    Kind kind = key.kind();
    if (kind != Kind::boolean && kind != Kind::integer && kind != Kind::unsigned_integer &&
        kind != Kind::string) {
      return fail("no_such_overload",
                  "a map key is a bool, an int, a uint or a string, not a " + std::string(type_name(kind)));
    }
  }
  MapData data(std::move(entries));
  std::vector<std::uint32_t> order = data.sorted();
  auto same =
      std::ranges::adjacent_find(order, {}, [&](std::uint32_t i) { return key_of(data.entries_[i]); });
  if (same != order.end()) return fail("duplicate_key", "a map repeats a key");
  if (order.size() > kScanned) data.index_ = std::move(order);
  return data;
}

MapData MapData::last_wins(std::vector<Value::Entry> entries) {
  MapData data(std::move(entries));
  std::vector<std::uint32_t> order = data.sorted();
  std::vector<Value::Entry> kept;
  std::vector<bool> superseded(order.size());
  for (std::size_t i = 0; i + 1 < order.size(); ++i) {
    superseded[order[i]] = key_of(data.entries_[order[i]]) == key_of(data.entries_[order[i + 1]]);
  }
  if (std::ranges::find(superseded, true) != superseded.end()) {
    for (std::size_t i = 0; i < data.entries_.size(); ++i) {
      if (!superseded[i]) kept.push_back(std::move(data.entries_[i]));
    }
    data.entries_ = std::move(kept);
    order = data.sorted();
  }
  if (order.size() > kScanned) data.index_ = std::move(order);
  return data;
}

const Value* MapData::find(const MapKey& key) const {
  if (index_.empty()) {
    auto found = std::ranges::find(entries_, key, key_of);
    return found == entries_.end() ? nullptr : &found->second;
  }
  auto found =
      std::ranges::lower_bound(index_, key, {}, [&](std::uint32_t i) { return key_of(entries_[i]); });
  if (found == index_.end() || key_of(entries_[*found]) != key) return nullptr;
  return &entries_[*found].second;
}

}  // namespace ganglion::expr
