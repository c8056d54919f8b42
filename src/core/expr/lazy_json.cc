#include "core/expr/lazy_json.h"

#include <charconv>

#include "core/expr/json_scan.h"

namespace ganglion::expr {
namespace {

// An integer that is written as to_chars would write it.
std::optional<std::int64_t> read_canonical_integer(std::string_view text) {
  std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || (digits.front() == '0' && text.size() > 1)) return std::nullopt;
  std::int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

const Value& LazyJson::parsed() const {
  if (const Value* known = parsed_.load(std::memory_order_acquire)) return *known;
  auto fresh = std::make_unique<const Value>(parse());
  const Value* expected = nullptr;
  if (parsed_.compare_exchange_strong(expected, fresh.get(), std::memory_order_acq_rel))
    return *fresh.release();
  return *expected;
}

Value LazyJson::parse() const {
  if (text_.empty()) return Value();
  switch (text_.front()) {
    case '{':
      return parse_map();
    case '[':
      return parse_list();
    case '"':
      return Value::string(decode_json_string(text_).value_or(std::string()));
    case 't':
      return text_ == "true" ? Value::boolean(true) : Value();
    case 'f':
      return text_ == "false" ? Value::boolean(false) : Value();
    default:
      return parse_number();
  }
}

Value LazyJson::parse_number() const {
  if (skip_json_value(text_, 0) != text_.size()) return Value();
  std::int64_t integer = 0;
  const char* end_of_text = text_.data() + text_.size();
  auto [end, error] = std::from_chars(text_.data(), end_of_text, integer);
  if (error == std::errc{} && end == end_of_text) return Value::integer(integer);
  auto number = read_double(text_);
  return number ? Value::real(*number) : Value();
}

Value LazyJson::member(std::string_view text) const {
  if (text == "null") return Value();
  if (text == "true") return Value::boolean(true);
  if (text == "false") return Value::boolean(false);
  if (auto integer = read_canonical_integer(text)) return Value::integer(*integer);
  return Value(Value::Storage(std::make_shared<const LazyJson>(payload_, text, Extent::part)));
}

Value LazyJson::parse_list() const {
  std::vector<Value> items;
  std::size_t at = skip_json_whitespace(text_, 1);
  while (at < text_.size() && text_[at] != ']') {
    auto end = skip_json_value(text_, at);
    if (!end) return Value::list({});
    items.push_back(member(text_.substr(at, *end - at)));
    at = skip_json_whitespace(text_, *end);
    if (at < text_.size() && text_[at] == ',') at = skip_json_whitespace(text_, at + 1);
  }
  return Value::list(std::move(items));
}

Value LazyJson::parse_map() const {
  std::vector<std::pair<std::string, Value>> members;
  std::size_t at = skip_json_whitespace(text_, 1);
  while (at < text_.size() && text_[at] == '"') {
    auto key_end = skip_json_value(text_, at);
    if (!key_end) return Value::object({});
    auto key = decode_json_string(text_.substr(at, *key_end - at));
    at = skip_json_whitespace(text_, *key_end);
    if (!key || at >= text_.size() || text_[at] != ':') return Value::object({});
    at = skip_json_whitespace(text_, at + 1);
    auto end = skip_json_value(text_, at);
    if (!end) return Value::object({});
    members.emplace_back(std::move(*key), member(text_.substr(at, *end - at)));
    at = skip_json_whitespace(text_, *end);
    if (at < text_.size() && text_[at] == ',') at = skip_json_whitespace(text_, at + 1);
  }
  return Value::object(std::move(members));
}

}  // namespace ganglion::expr
