#pragma once

// The lazy side of Value: a range of a payload that holds one JSON value, and, once somebody has looked, that
// value with its members lazy in turn. Parsing happens at most once per copy that is kept; threads that race
// parse twice and keep one result.

#include <atomic>
#include <string_view>

#include "core/expr/value.h"

namespace ganglion::expr {

class LazyJson {
 public:
  enum class Extent { whole, part };

  // `text` lies within the bytes of `payload`, of which it is all but whitespace around it, or a part.
  LazyJson(Payload payload, std::string_view text, Extent extent)
      : payload_(std::move(payload)), text_(text), extent_(extent) {}
  LazyJson(const LazyJson&) = delete;
  LazyJson& operator=(const LazyJson&) = delete;
  ~LazyJson() { delete parsed_.load(std::memory_order_acquire); }

  // Never a lazy value itself.
  const Value& parsed() const;
  bool is_parsed() const { return parsed_.load(std::memory_order_acquire) != nullptr; }

  const Payload& payload() const { return payload_; }
  Extent extent() const { return extent_; }
  std::string_view text() const { return text_; }

 private:
  Value parse() const;
  Value parse_list() const;
  Value parse_map() const;
  Value parse_number() const;
  // A member of this value: computed at once where that costs nothing and is written back the same, else
  // lazy.
  Value member(std::string_view text) const;

  Payload payload_;
  std::string_view text_;
  Extent extent_;
  mutable std::atomic<const Value*> parsed_ = nullptr;
};

}  // namespace ganglion::expr
