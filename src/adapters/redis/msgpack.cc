#include "adapters/redis/msgpack.h"

#include "base/assert.h"

namespace ganglion::redis {
namespace {

constexpr int kMaxDepth = 16;  // Redis' own

enum : std::uint8_t {
  kFixMap = 0x80,
  kFixArray = 0x90,
  kFixText = 0xa0,
  kNil = 0xc0,
  kFalse = 0xc2,
  kTrue = 0xc3,
  kBytes8 = 0xc4,
  kFloat64 = 0xcb,
  kUnsigned8 = 0xcc,
  kSigned8 = 0xd0,
  kText8 = 0xd9,
  kArray16 = 0xdc,
  kArray32 = 0xdd,
  kMap16 = 0xde,
  kMap32 = 0xdf,
  kFixNegative = 0xe0,
};

}  // namespace

// --- writing
// ------------------------------------------------------------------------------------------------------

Packer& Packer::head(std::uint8_t byte) {
  bytes_ += static_cast<char>(byte);
  return *this;
}

void Packer::big_endian(std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    bytes_ += static_cast<char>(value >> shift & 0xff);
}

Packer& Packer::array(std::size_t elements) {
  if (elements < 16) return head(static_cast<std::uint8_t>(kFixArray | elements));
  head(kArray32);
  big_endian(elements, 4);
  return *this;
}

Packer& Packer::map(std::size_t pairs) {
  GANGLION_ASSERT(pairs < 16);
  return head(static_cast<std::uint8_t>(kFixMap | pairs));
}

Packer& Packer::text(std::string_view bytes) {
  if (bytes.size() < 32) {
    head(static_cast<std::uint8_t>(kFixText | bytes.size()));
  } else if (bytes.size() < 0x100) {
    head(kText8);
    big_endian(bytes.size(), 1);
  } else {
    head(kText8 + 2);
    big_endian(bytes.size(), 4);
  }
  bytes_ += bytes;
  return *this;
}

Packer& Packer::integer(std::int64_t value) {
  if (value >= 0) return number(static_cast<std::uint64_t>(value));
  if (value >= -32) return head(static_cast<std::uint8_t>(value));
  head(kSigned8 + 3);
  big_endian(static_cast<std::uint64_t>(value), 8);
  return *this;
}

Packer& Packer::number(std::uint64_t value) {
  if (value < 0x80) return head(static_cast<std::uint8_t>(value));
  if (value < 0x1'0000'0000) {
    head(kUnsigned8 + 2);
    big_endian(value, 4);
  } else {
    head(kUnsigned8 + 3);
    big_endian(value, 8);
  }
  return *this;
}

Packer& Packer::boolean(bool value) {
  return head(value ? kTrue : kFalse);
}

Packer& Packer::nil() {
  return head(kNil);
}

Packer& Packer::raw(std::string_view packed) {
  bytes_ += packed;
  return *this;
}

// --- reading
// ------------------------------------------------------------------------------------------------------

void Unpacker::damaged() {
  intact_ = false;
  rest_ = {};
}

std::string_view Unpacker::take(std::size_t bytes) {
  if (rest_.size() < bytes) {
    damaged();
    return {};
  }
  const std::string_view taken = rest_.substr(0, bytes);
  rest_.remove_prefix(bytes);
  return taken;
}

std::uint64_t Unpacker::big_endian(int bytes) {
  std::uint64_t value = 0;
  for (const char byte : take(static_cast<std::size_t>(bytes)))
    value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

bool Unpacker::next_is_array() const {
  const std::uint8_t next = peek();
  return (next & 0xf0) == kFixArray || next == kArray16 || next == kArray32;
}

std::size_t Unpacker::array() {
  const std::uint8_t next = peek();
  take(1);
  if ((next & 0xf0) == kFixArray) return next & 0x0f;
  if (next == kFixMap) return 0;  // Lua's empty table may be either
  if (next == kArray16) return big_endian(2);
  if (next == kArray32) return big_endian(4);
  damaged();
  return 0;
}

std::string_view Unpacker::text() {
  const std::uint8_t next = peek();
  take(1);
  if ((next & 0xe0) == kFixText) return take(next & 0x1f);
  if (next >= kText8 && next < kText8 + 3) return take(big_endian(1 << (next - kText8)));
  if (next >= kBytes8 && next < kBytes8 + 3) return take(big_endian(1 << (next - kBytes8)));
  damaged();
  return {};
}

std::int64_t Unpacker::integer() {
  const std::uint8_t next = peek();
  take(1);
  if (next < 0x80) return next;
  if (next >= kFixNegative) return static_cast<std::int8_t>(next);
  if (next >= kUnsigned8 && next < kUnsigned8 + 4)
    return static_cast<std::int64_t>(big_endian(1 << (next - kUnsigned8)));
  if (next >= kSigned8 && next < kSigned8 + 4) {
    const int bytes = 1 << (next - kSigned8);
    const int unused = 64 - 8 * bytes;
    return static_cast<std::int64_t>(big_endian(bytes) << unused) >> unused;
  }
  damaged();
  return 0;
}

std::uint64_t Unpacker::number() {
  const std::int64_t value = integer();
  if (value >= 0) return static_cast<std::uint64_t>(value);
  damaged();
  return 0;
}

bool Unpacker::boolean() {
  const std::uint8_t next = peek();
  take(1);
  if (next != kTrue && next != kFalse) damaged();
  return next == kTrue;
}

bool Unpacker::absent() {
  const std::uint8_t next = peek();
  if (next != kNil && next != kFalse) return false;
  take(1);
  return true;
}

std::string_view Unpacker::raw() {
  const std::string_view before = rest_;
  skip(0);
  return intact_ ? before.substr(0, before.size() - rest_.size()) : std::string_view();
}

void Unpacker::skip(int depth) {
  if (depth > kMaxDepth) return damaged();
  const std::uint8_t next = peek();
  if (next_is_array()) {
    for (std::size_t left = array(); left > 0 && intact_; --left) skip(depth + 1);
  } else if ((next & 0xf0) == kFixMap || next == kMap16 || next == kMap32) {
    take(1);
    std::size_t values = 2 * (next == kMap16 ? big_endian(2) : next == kMap32 ? big_endian(4) : next & 0x0fu);
    for (; values > 0 && intact_; --values) skip(depth + 1);
  } else if (next == kNil || next == kFalse || next == kTrue) {
    take(1);
  } else if (next == kFloat64) {
    take(9);
  } else if ((next & 0xe0) == kFixText || (next >= kText8 && next < kText8 + 3) ||
             (next >= kBytes8 && next < kBytes8 + 3)) {
    text();
  } else {
    integer();
  }
}

}  // namespace ganglion::redis
