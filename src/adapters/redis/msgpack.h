#pragma once

// MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md), as Redis' Lua has it: the form in
// which values travel to the functions and back, and in which they are stored.

#include <cstdint>
#include <string>
#include <string_view>

namespace ganglion::redis {

class Packer {
 public:
  Packer& array(std::size_t elements);
  Packer& map(std::size_t pairs);
  Packer& text(std::string_view bytes);
  Packer& integer(std::int64_t value);
  // Lua counts exactly up to 2^53; a larger one arrives as roughly as large.
  Packer& number(std::uint64_t value);
  Packer& boolean(bool value);
  Packer& nil();
  // Bytes that are packed already.
  Packer& raw(std::string_view packed);

  std::string take() { return std::move(bytes_); }

 private:
  Packer& head(std::uint8_t byte);
  void big_endian(std::uint64_t value, int bytes);

  std::string bytes_;
};

// Takes value after value. One that isn't of the kind that is asked for makes everything from there on empty,
// and `intact` false. Texts are views of what is read.
class Unpacker {
 public:
  Unpacker() = default;
  explicit Unpacker(std::string_view bytes) : rest_(bytes) {}

  std::size_t array();
  std::string_view text();
  std::int64_t integer();
  std::uint64_t number();
  bool boolean();
  // Takes the next value if it is nil or false.
  bool absent();
  bool next_is_array() const;
  // The next value as it is packed.
  std::string_view raw();

  bool intact() const { return intact_; }
  bool at_end() const { return rest_.empty(); }

 private:
  std::uint8_t peek() const { return rest_.empty() ? kNothing : static_cast<std::uint8_t>(rest_.front()); }
  std::string_view take(std::size_t bytes);
  std::uint64_t big_endian(int bytes);
  void skip(int depth);
  void damaged();

  static constexpr std::uint8_t kNothing = 0xc1;  // a byte that begins no value

  std::string_view rest_;
  bool intact_ = true;
};

}  // namespace ganglion::redis
