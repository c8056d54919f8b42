#pragma once

// A payload is one JSON value as opaque bytes: immutable, shared, copied by reference. Inputs, outputs and
// items travel as payloads and are parsed only where an expression looks inside them. Whoever makes one
// guarantees valid UTF-8 JSON.

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace ganglion {

class Payload {
 public:
  // The JSON value null.
  Payload() = default;
  explicit Payload(std::string json) : bytes_(std::make_shared<const std::string>(std::move(json))) {}

  std::string_view bytes() const { return bytes_ ? std::string_view(*bytes_) : std::string_view("null"); }
  std::size_t size() const { return bytes().size(); }
  bool is_null() const { return bytes() == "null"; }

  friend bool operator==(const Payload& a, const Payload& b) { return a.bytes() == b.bytes(); }

 private:
  std::shared_ptr<const std::string> bytes_;
};

}  // namespace ganglion
