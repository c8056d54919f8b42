#pragma once

// A value of the expression language: immutable, cheap to copy (containers and texts are shared), safe to
// read from several threads.
//
// JSON enters lazily. `Value::json` keeps the payload's bytes; one level is parsed when something looks
// inside, and its members are lazy again, sharing the bytes. What nobody looked at is written back byte for
// byte, and a whole payload is given back as the same payload, without a copy. An integer literal that fits
// 64 bits is an int, every other number a double. Of equal keys in one object the last counts.
//
// A payload is valid JSON by contract. Should one not be, the malformed part reads as an empty container, an
// empty string or null: never undefined behaviour.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/payload.h"
#include "base/result.h"

namespace ganglion::expr {

enum class Kind : std::uint8_t {
  null,
  boolean,
  integer,
  unsigned_integer,
  real,
  string,
  bytes,
  list,
  map,
  timestamp,
  duration,
  type,
};

// The name of a kind as CEL's type denotation: `int`, `null_type`, `google.protobuf.Timestamp`, …
std::string_view type_name(Kind kind);
std::optional<Kind> kind_of_type_name(std::string_view name);

// A timestamp of the language: years 0001 to 9999, UTC. `nanoseconds` is 0 … 999,999,999 and counts forward.
struct Instant {
  std::int64_t seconds = 0;  // since 1970-01-01T00:00:00Z
  std::int32_t nanoseconds = 0;

  auto operator<=>(const Instant&) const = default;
};

// Containers nested deeper than this are refused where they are walked (comparison, JSON): error code
// `too_deep`.
inline constexpr int kMaxValueDepth = 500;

class MapData;
class LazyJson;

class Value {
 public:
  using Entry = std::pair<Value, Value>;

  // null
  Value() = default;

  static Value boolean(bool value) { return Value(Storage(value)); }
  static Value integer(std::int64_t value) { return Value(Storage(value)); }
  static Value unsigned_integer(std::uint64_t value) { return Value(Storage(value)); }
  static Value real(double value) { return Value(Storage(value)); }
  // `text` must be valid UTF-8.
  static Value string(std::string text);
  static Value bytes(std::string data);
  static Value list(std::vector<Value> items);
  // Keeps the order of the entries. Keys are bool, int, uint or string; error codes `duplicate_key` (numbers
  // that are equal across types are the same key) and `no_such_overload` (a key of another type).
  static Result<Value> map(std::vector<Entry> entries);
  // A map with string keys; of equal keys the last counts.
  static Value object(std::vector<std::pair<std::string, Value>> members);
  static Value timestamp(Instant instant) { return Value(Storage(instant)); }
  static Value duration(std::chrono::nanoseconds duration) { return Value(Storage(duration)); }
  static Value type(Kind kind) { return Value(Storage(kind)); }
  static Value json(Payload payload);

  Kind kind() const;
  bool is(Kind kind) const { return this->kind() == kind; }
  bool is_null() const { return is(Kind::null); }

  // Each needs the kind that it names (asserted).
  bool as_boolean() const;
  std::int64_t as_integer() const;
  std::uint64_t as_unsigned_integer() const;
  double as_real() const;
  const std::string& as_string() const;
  const std::string& as_bytes() const;
  Instant as_timestamp() const;
  std::chrono::nanoseconds as_duration() const;
  Kind as_type() const;

  // Of a list or a map: the number of items or entries.
  std::size_t size() const;
  // Of a list; `index` < size().
  const Value& at(std::size_t index) const;
  // Of a map, in its order; `index` < size().
  const Entry& entry(std::size_t index) const;
  // Of a map: the value at `key`, or nullptr. A double finds the integer key that equals it.
  const Value* find(const Value& key) const;
  const Value* find(std::string_view key) const;

  // Timestamps are RFC 3339 strings, durations strings of seconds ("1.5s"), bytes base64, keys strings, an
  // integral double keeps its point (`1.0`). Error codes `not_json` (NaN, infinity, a type), `too_large`
  // (over `max_bytes`), `too_deep`.
  Result<Payload> to_json(std::size_t max_bytes = std::numeric_limits<std::size_t>::max()) const;
  // The same, appended to `out`, where `max_bytes` bounds the size of `out`.
  Result<void> append_json(std::string& out, std::size_t max_bytes) const;

  // Bytes that the next look inside will scan: the size of an unparsed lazy value, else 0.
  std::size_t unparsed_bytes() const;
  // The JSON text of a lazy value (parsed or not); nothing for a value that was computed.
  std::optional<std::string_view> json_text() const;
  // The same object in memory; says nothing about values that merely compare equal.
  bool same_object(const Value& other) const;

 private:
  friend class LazyJson;

  struct Text {
    std::shared_ptr<const std::string> text;
  };
  struct Bytes {
    std::shared_ptr<const std::string> data;
  };
  using List = std::shared_ptr<const std::vector<Value>>;
  using Map = std::shared_ptr<const MapData>;
  using Lazy = std::shared_ptr<const LazyJson>;
  using Storage = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, Text, Bytes, List,
                               Map, Instant, std::chrono::nanoseconds, Kind, Lazy>;

  explicit Value(Storage storage) : storage_(std::move(storage)) {}

  // This value, or what the lazy one turned out to be.
  const Value& resolved() const;
  template <typename T>
  const T& get() const;
  Result<void> append_at_depth(std::string& out, std::size_t max_bytes, int depth) const;

  Storage storage_;
};

}  // namespace ganglion::expr
