#include "adapters/postgres/params.h"

#include <algorithm>
#include <limits>

#include "adapters/postgres/text_value.h"

namespace ganglion::postgres {
namespace {

constexpr int kBinary = 1;
constexpr std::uint32_t kNullLength = 0xffff'ffff;

template <typename Integer>
void append_integer(std::string& out, Integer value) {
  for (int shift = 8 * (sizeof(Integer) - 1); shift >= 0; shift -= 8)
    out += static_cast<char>(static_cast<unsigned char>(value >> shift));
}

void append_element(std::string& out, std::string_view bytes) {
  append_integer(out, static_cast<std::uint32_t>(bytes.size()));
  out += bytes;
}

std::string integer_bytes(std::int64_t number) {
  std::string bytes;
  append_integer(bytes, static_cast<std::uint64_t>(number));
  return bytes;
}

std::int64_t as_bigint(std::uint64_t number) {
  constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::min(number, kLargest));
}

std::string_view view_of(const RunId::Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Of an array's wire form: dimensions, whether there are nulls, the element's type, size, lower bound.
constexpr std::size_t kSizeAt = 12;

}  // namespace

Array::Array(Type type) {
  append_integer(bytes_, std::uint32_t{1});
  append_integer(bytes_, std::uint32_t{1});
  append_integer(bytes_, static_cast<std::uint32_t>(type));
  append_integer(bytes_, std::uint32_t{0});
  append_integer(bytes_, std::uint32_t{1});
}

void Array::add_null() {
  ++count_;
  append_integer(bytes_, kNullLength);
}

void Array::add(std::int64_t number) {
  ++count_;
  append_element(bytes_, integer_bytes(number));
}

void Array::add(std::uint64_t number) {
  add(as_bigint(number));
}

void Array::add_text(std::string_view text) {
  ++count_;
  append_element(bytes_, to_text_value(text));
}

void Array::add_bytes(std::string_view bytes) {
  ++count_;
  append_element(bytes_, bytes);
}

void Array::add(const RunId& run) {
  ++count_;
  append_element(bytes_, view_of(run.bytes()));
}

std::string Array::finish() && {
  std::string size;
  append_integer(size, count_);
  bytes_.replace(kSizeAt, size.size(), size);
  return std::move(bytes_);
}

Params& Params::add_null() {
  values_.emplace_back();
  return *this;
}

Params& Params::add(std::int64_t number) {
  values_.emplace_back(integer_bytes(number));
  return *this;
}

Params& Params::add(std::uint64_t number) {
  return add(as_bigint(number));
}

Params& Params::add(bool value) {
  values_.emplace_back(std::string(1, value ? '\1' : '\0'));
  return *this;
}

Params& Params::add(const RunId& run) {
  return add_bytes(view_of(run.bytes()));
}

Params& Params::add(Array array) {
  values_.emplace_back(std::move(array).finish());
  return *this;
}

Params& Params::add_text(std::string_view text) {
  values_.emplace_back(to_text_value(text));
  return *this;
}

Params& Params::add_bytes(std::string_view bytes) {
  values_.emplace_back(std::string(bytes));
  return *this;
}

Params& Params::add_bytes(std::string&& bytes) {
  values_.emplace_back(std::move(bytes));
  return *this;
}

std::size_t Params::bytes() const {
  std::size_t bytes = 0;
  for (const auto& value : values_) bytes += sizeof(value) + (value ? value->size() : 0);
  return bytes;
}

Params::View Params::view() const {
  View view;
  for (const auto& value : values_) {
    view.values.push_back(value ? value->data() : nullptr);
    view.lengths.push_back(value ? static_cast<int>(value->size()) : 0);
    view.formats.push_back(kBinary);
  }
  return view;
}

std::string digest_bytes(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  return bytes;
}

}  // namespace ganglion::postgres
