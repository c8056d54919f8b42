#include "core/expr/typed_json.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "base/json_text.h"
#include "core/expr/base64.h"
#include "core/expr/calendar.h"
#include "core/expr/json_scan.h"

namespace ganglion::expr {
namespace {

void append_double(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "\"nan\"";
  } else if (std::isinf(value)) {
    out += value < 0 ? "\"-inf\"" : "\"inf\"";
  } else {
    append_json_double(out, value);
  }
}

void append_typed(std::string& out, const Value& value, int depth);

void append_items(std::string& out, const Value& list, int depth) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0) out += ", ";
    append_typed(out, list.at(i), depth);
  }
}

void append_entries(std::string& out, const Value& map, int depth) {
  for (std::size_t i = 0; i < map.size(); ++i) {
    out += i > 0 ? ", [" : "[";
    append_typed(out, map.entry(i).first, depth);
    out += ", ";
    append_typed(out, map.entry(i).second, depth);
    out += ']';
  }
}

void append_typed(std::string& out, const Value& value, int depth) {
  auto open = [&](std::string_view type) { out.append("{\"").append(type).append("\": "); };
  switch (depth > kMaxValueDepth ? Kind::null : value.kind()) {
    case Kind::null:
      out += "{\"null\": null";
      break;
    case Kind::boolean:
      open("bool");
      out += value.as_boolean() ? "true" : "false";
      break;
    case Kind::integer:
      open("int");
      out += std::to_string(value.as_integer());
      break;
    case Kind::unsigned_integer:
      open("uint");
      out += std::to_string(value.as_unsigned_integer());
      break;
    case Kind::real:
      open("double");
      append_double(out, value.as_real());
      break;
    case Kind::string:
      open("string");
      append_json_string(out, value.as_string());
      break;
    case Kind::bytes:
      open("bytes");
      append_json_string(out, encode_base64(value.as_bytes()));
      break;
    case Kind::list:
      open("list");
      out += '[';
      append_items(out, value, depth + 1);
      out += ']';
      break;
    case Kind::map:
      open("map");
      out += '[';
      append_entries(out, value, depth + 1);
      out += ']';
      break;
    case Kind::timestamp:
      open("timestamp");
      append_json_string(out, format_timestamp(value.as_timestamp()));
      break;
    case Kind::duration:
      open("duration");
      append_json_string(out, format_duration(value.as_duration()));
      break;
    case Kind::type:
      open("type");
      append_json_string(out, type_name(value.as_type()));
      break;
  }
  out += '}';
}

std::unexpected<Error> invalid(std::string_view type) {
  return fail("invalid_vector", "not a typed value of type '" + std::string(type) + "'");
}

std::optional<double> double_of(const Value& value) {
  if (value.is(Kind::real)) return value.as_real();
  if (value.is(Kind::integer)) return static_cast<double>(value.as_integer());
  if (!value.is(Kind::string)) return std::nullopt;
  if (value.as_string() == "inf") return std::numeric_limits<double>::infinity();
  if (value.as_string() == "-inf") return -std::numeric_limits<double>::infinity();
  if (value.as_string() == "nan") return std::numeric_limits<double>::quiet_NaN();
  return std::nullopt;
}

std::optional<std::uint64_t> unsigned_of(const Value& value) {
  if (value.is(Kind::integer) && value.as_integer() >= 0)
    return static_cast<std::uint64_t>(value.as_integer());
  std::string_view text = value.json_text().value_or(std::string_view());
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole ? std::optional(number) : std::nullopt;
}

Result<Value> typed_list(const Value& items, int depth);
Result<Value> typed_map(const Value& entries, int depth);

Result<Value> typed_text(std::string_view type, const std::string& text) {
  if (type == "string") return Value::string(text);
  if (type == "bytes") {
    auto data = decode_base64(text);
    return data ? Result<Value>(Value::bytes(std::move(*data))) : invalid(type);
  }
  if (type == "type") {
    auto kind = kind_of_type_name(text);
    return kind ? Result<Value>(Value::type(*kind)) : invalid(type);
  }
  if (type == "timestamp") {
    auto instant = parse_timestamp(text);
    return instant ? Result<Value>(Value::timestamp(*instant)) : invalid(type);
  }
  auto duration = parse_duration(text);
  return type == "duration" && duration ? Result<Value>(Value::duration(*duration)) : invalid(type);
}

Result<Value> typed_value(const Value& json, int depth) {
  if (depth > kMaxValueDepth || !json.is(Kind::map) || json.size() != 1) return invalid("any");
  const std::string& type = json.entry(0).first.as_string();
  const Value& content = json.entry(0).second;
  if (type == "null" && content.is_null()) return Value();
  if (type == "bool" && content.is(Kind::boolean)) return content;
  if (type == "int" && content.is(Kind::integer)) return Value::integer(content.as_integer());
  if (type == "uint") {
    auto number = unsigned_of(content);
    return number ? Result<Value>(Value::unsigned_integer(*number)) : invalid(type);
  }
  if (type == "double") {
    auto number = double_of(content);
    return number ? Result<Value>(Value::real(*number)) : invalid(type);
  }
  if (type == "list" && content.is(Kind::list)) return typed_list(content, depth + 1);
  if (type == "map" && content.is(Kind::list)) return typed_map(content, depth + 1);
  if (content.is(Kind::string)) return typed_text(type, content.as_string());
  return invalid(type);
}

Result<Value> typed_list(const Value& items, int depth) {
  std::vector<Value> values;
  for (std::size_t i = 0; i < items.size(); ++i) {
    Result<Value> item = typed_value(items.at(i), depth);
    if (!item) return item;
    values.push_back(std::move(*item));
  }
  return Value::list(std::move(values));
}

Result<Value> typed_map(const Value& entries, int depth) {
  std::vector<Value::Entry> values;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Value& entry = entries.at(i);
    if (!entry.is(Kind::list) || entry.size() != 2) return invalid("map");
    Result<Value> key = typed_value(entry.at(0), depth);
    if (!key) return key;
    Result<Value> value = typed_value(entry.at(1), depth);
    if (!value) return value;
    values.emplace_back(std::move(*key), std::move(*value));
  }
  return Value::map(std::move(values));
}

bool identical_at(const Value& a, const Value& b, int depth) {
  if (depth > kMaxValueDepth || a.kind() != b.kind()) return false;
  if (a.is(Kind::list)) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (!identical_at(a.at(i), b.at(i), depth + 1)) return false;
    }
    return true;
  }
  if (a.is(Kind::map)) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
      const auto& [key, value] = a.entry(i);
      const Value* other = b.find(key);
      if (!other || !identical_at(value, *other, depth + 1)) return false;
    }
    return true;
  }
  if (a.is(Kind::real)) {
    if (std::isnan(a.as_real()) || std::isnan(b.as_real()))
      return std::isnan(a.as_real()) && std::isnan(b.as_real());
    return a.as_real() == b.as_real() && std::signbit(a.as_real()) == std::signbit(b.as_real());
  }
  return typed_json(a) == typed_json(b);
}

}  // namespace

std::string typed_json(const Value& value) {
  std::string out;
  append_typed(out, value, 0);
  return out;
}

Result<Value> value_of_typed_json(const Value& json) {
  return typed_value(json, 0);
}

bool identical(const Value& a, const Value& b) {
  return identical_at(a, b, 0);
}

}  // namespace ganglion::expr
