// Values as JSON, after the JSON mapping of CEL.

#include <charconv>
#include <cmath>

#include "base/json_text.h"
#include "core/expr/base64.h"
#include "core/expr/calendar.h"
#include "core/expr/json_scan.h"
#include "core/expr/lazy_json.h"
#include "core/expr/map_data.h"
#include "core/expr/value.h"

namespace ganglion::expr {
namespace {

template <typename Integer>
void append_integer(std::string& out, Integer value) {
  char buffer[24];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

// What a key other than a string is written as.
std::string key_text(const Value& key) {
  std::string text;
  if (key.is(Kind::string)) return key.as_string();
  if (key.is(Kind::boolean)) return key.as_boolean() ? "true" : "false";
  if (key.is(Kind::integer)) append_integer(text, key.as_integer());
  if (key.is(Kind::unsigned_integer)) append_integer(text, key.as_unsigned_integer());
  return text;
}

Result<void> append_scalar(std::string& out, const Value& value) {
  switch (value.kind()) {
    case Kind::null:
      out.append("null");
      return {};
    case Kind::boolean:
      out.append(value.as_boolean() ? "true" : "false");
      return {};
    case Kind::integer:
      append_integer(out, value.as_integer());
      return {};
    case Kind::unsigned_integer:
      append_integer(out, value.as_unsigned_integer());
      return {};
    case Kind::real:
      if (!std::isfinite(value.as_real()))
        return fail("not_json", "NaN and infinity can't be written as JSON");
      append_json_double(out, value.as_real());
      return {};
    case Kind::string:
      append_json_string(out, value.as_string());
      return {};
    case Kind::bytes:
      append_json_string(out, encode_base64(value.as_bytes()));
      return {};
    case Kind::timestamp:
      append_json_string(out, format_timestamp(value.as_timestamp()));
      return {};
    case Kind::duration:
      append_json_string(out, format_duration(value.as_duration()));
      return {};
    case Kind::list:
    case Kind::map:
    case Kind::type:
      break;
  }
  return fail("not_json", "a type can't be written as JSON");
}

}  // namespace

Result<void> Value::append_json(std::string& out, std::size_t max_bytes) const {
  return append_at_depth(out, max_bytes, 0);
}

Result<void> Value::append_at_depth(std::string& out, std::size_t max_bytes, int depth) const {
  if (depth > kMaxValueDepth) return fail("too_deep", "a value is nested too deeply to be written as JSON");
  auto too_large = [&] {
    return fail("too_large", "the result is larger than " + std::to_string(max_bytes) + " bytes");
  };
  if (const Lazy* lazy = std::get_if<Lazy>(&storage_)) {
    // Written as it was read; nothing there (an empty payload) reads as null.
    std::string_view text = (*lazy)->text().empty() ? std::string_view("null") : (*lazy)->text();
    if (out.size() + text.size() > max_bytes) return too_large();
    out.append(text);
    return {};
  }
  if (is(Kind::list)) {
    out.push_back('[');
    for (std::size_t i = 0; i < size(); ++i) {
      if (i > 0) out.push_back(',');
      if (auto item = at(i).append_at_depth(out, max_bytes, depth + 1); !item) return item;
    }
    out.push_back(']');
  } else if (is(Kind::map)) {
    out.push_back('{');
    for (std::size_t i = 0; i < size(); ++i) {
      if (i > 0) out.push_back(',');
      append_json_string(out, key_text(entry(i).first));
      out.push_back(':');
      if (auto item = entry(i).second.append_at_depth(out, max_bytes, depth + 1); !item) return item;
    }
    out.push_back('}');
  } else if (auto scalar = append_scalar(out, *this); !scalar) {
    return scalar;
  }
  if (out.size() > max_bytes) return too_large();
  return {};
}

}  // namespace ganglion::expr
