#pragma once

// The parameters of one call, in binary. An array is built like a list: `Params().add(Array<…>)`.

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "core/ids.h"

namespace ganglion::postgres {

// Of a parameter's type, as PostgreSQL numbers its own types.
enum class Type : std::uint32_t { bytes = 17, integer = 20, text = 25, uuid = 2950 };

// An array of one dimension, whose elements may be null.
class Array {
 public:
  explicit Array(Type type);

  void add_null();
  void add(std::int64_t number);
  void add_text(std::string_view text);
  void add_bytes(std::string_view bytes);
  void add(const RunId& run);
  void add(Timestamp time) { add(time.milliseconds_since_epoch()); }
  template <typename T>
  void add(const std::optional<T>& value) {
    value ? add(*value) : add_null();
  }
  void add(std::uint32_t number) { add(std::int64_t{number}); }
  void add(std::uint64_t number);
  template <std::same_as<std::optional<std::string>> Text>
  void add_text(const Text& text) {
    text ? add_text(std::string_view(*text)) : add_null();
  }

  bool empty() const { return count_ == 0; }
  std::string finish() &&;

 private:
  std::string bytes_;
  std::uint32_t count_ = 0;
};

class Params {
 public:
  Params& add_null();
  Params& add(std::int64_t number);
  // One beyond what a bigint holds counts as the largest.
  Params& add(std::uint64_t number);
  Params& add(std::uint32_t number) { return add(std::int64_t{number}); }
  Params& add(bool value);
  Params& add(Timestamp time) { return add(time.milliseconds_since_epoch()); }
  Params& add(const RunId& run);
  Params& add(Array array);
  Params& add_text(std::string_view text);
  Params& add_bytes(std::string_view bytes);
  Params& add_bytes(std::string&& bytes);
  template <typename T>
  Params& add(const std::optional<T>& value) {
    return value ? add(*value) : add_null();
  }
  template <std::same_as<std::optional<std::string>> Text>
  Params& add_text(const Text& text) {
    return text ? add_text(std::string_view(*text)) : add_null();
  }

  std::size_t size() const { return values_.size(); }
  std::size_t bytes() const;
  // As libpq wants them; valid while this lives and isn't changed.
  struct View {
    std::vector<const char*> values;
    std::vector<int> lengths;
    std::vector<int> formats;
  };
  View view() const;

 private:
  std::vector<std::optional<std::string>> values_;
};

// 32 bytes from 64 hexadecimal digits.
std::string digest_bytes(std::string_view hex);

}  // namespace ganglion::postgres
