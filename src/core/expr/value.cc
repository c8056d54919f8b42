#include "core/expr/value.h"

#include <array>

#include "base/assert.h"
#include "core/expr/json_scan.h"
#include "core/expr/lazy_json.h"
#include "core/expr/map_data.h"

namespace ganglion::expr {
namespace {

constexpr std::array<std::string_view, 12> kTypeNames = {"null_type",
                                                         "bool",
                                                         "int",
                                                         "uint",
                                                         "double",
                                                         "string",
                                                         "bytes",
                                                         "list",
                                                         "map",
                                                         "google.protobuf.Timestamp",
                                                         "google.protobuf.Duration",
                                                         "type"};

}  // namespace

std::string_view type_name(Kind kind) {
  return kTypeNames[static_cast<std::size_t>(kind)];
}

std::optional<Kind> kind_of_type_name(std::string_view name) {
  for (std::size_t i = 0; i < kTypeNames.size(); ++i) {
    if (kTypeNames[i] == name) return static_cast<Kind>(i);
  }
  return std::nullopt;
}

Value Value::string(std::string text) {
  return Value(Storage(Text{std::make_shared<const std::string>(std::move(text))}));
}

Value Value::bytes(std::string data) {
  return Value(Storage(Bytes{std::make_shared<const std::string>(std::move(data))}));
}

Value Value::list(std::vector<Value> items) {
  return Value(Storage(std::make_shared<const std::vector<Value>>(std::move(items))));
}

Result<Value> Value::map(std::vector<Entry> entries) {
  auto data = MapData::unique(std::move(entries));
  if (!data) return std::unexpected(std::move(data.error()));
  return Value(Storage(std::make_shared<const MapData>(std::move(*data))));
}

Value Value::object(std::vector<std::pair<std::string, Value>> members) {
  std::vector<Entry> entries;
  entries.reserve(members.size());
  for (auto& [key, value] : members) entries.emplace_back(string(std::move(key)), std::move(value));
  return Value(Storage(std::make_shared<const MapData>(MapData::last_wins(std::move(entries)))));
}

Value Value::json(Payload payload) {
  std::string_view bytes = payload.bytes();
  std::size_t begin = skip_json_whitespace(bytes, 0);
  std::size_t end = bytes.find_last_not_of(" \n\t\r");
  std::string_view text =
      end == std::string_view::npos ? std::string_view() : bytes.substr(begin, end + 1 - begin);
  return Value(Storage(std::make_shared<const LazyJson>(std::move(payload), text, LazyJson::Extent::whole)));
}

const Value& Value::resolved() const {
  const Lazy* lazy = std::get_if<Lazy>(&storage_);
  return lazy ? (*lazy)->parsed() : *this;
}

template <typename T>
const T& Value::get() const {
  const T* value = std::get_if<T>(&resolved().storage_);
  GANGLION_ASSERT(value != nullptr);
  return *value;
}

Kind Value::kind() const {
  static_assert(std::variant_size_v<Storage> == kTypeNames.size() + 1,
                "one alternative per kind, and the lazy one");
  if (const Lazy* lazy = std::get_if<Lazy>(&storage_)) {
    std::string_view text = (*lazy)->text();
    if (text.starts_with('{')) return Kind::map;
    if (text.starts_with('[')) return Kind::list;
    if (text.starts_with('"')) return Kind::string;
    return (*lazy)->parsed().kind();
  }
  return static_cast<Kind>(storage_.index());
}

bool Value::as_boolean() const {
  return get<bool>();
}
std::int64_t Value::as_integer() const {
  return get<std::int64_t>();
}
std::uint64_t Value::as_unsigned_integer() const {
  return get<std::uint64_t>();
}
double Value::as_real() const {
  return get<double>();
}
const std::string& Value::as_string() const {
  return *get<Text>().text;
}
const std::string& Value::as_bytes() const {
  return *get<Bytes>().data;
}
Instant Value::as_timestamp() const {
  return get<Instant>();
}
std::chrono::nanoseconds Value::as_duration() const {
  return get<std::chrono::nanoseconds>();
}
Kind Value::as_type() const {
  return get<Kind>();
}

std::size_t Value::size() const {
  if (const List* items = std::get_if<List>(&resolved().storage_)) return (*items)->size();
  return get<Map>()->entries().size();
}

const Value& Value::at(std::size_t index) const {
  const std::vector<Value>& items = *get<List>();
  GANGLION_ASSERT(index < items.size());
  return items[index];
}

const Value::Entry& Value::entry(std::size_t index) const {
  const std::vector<Entry>& entries = get<Map>()->entries();
  GANGLION_ASSERT(index < entries.size());
  return entries[index];
}

const Value* Value::find(const Value& key) const {
  auto map_key = MapKey::of(key);
  return map_key ? get<Map>()->find(*map_key) : nullptr;
}

const Value* Value::find(std::string_view key) const {
  return get<Map>()->find(MapKey::of_text(key));
}

std::size_t Value::unparsed_bytes() const {
  const Lazy* lazy = std::get_if<Lazy>(&storage_);
  return lazy && !(*lazy)->is_parsed() ? (*lazy)->text().size() : 0;
}

std::optional<std::string_view> Value::json_text() const {
  const Lazy* lazy = std::get_if<Lazy>(&storage_);
  return lazy ? std::optional((*lazy)->text()) : std::nullopt;
}

namespace {

template <typename T>
bool same_container(const T* a, const T* b) {
  return a && b && *a == *b;
}

}  // namespace

bool Value::same_object(const Value& other) const {
  return same_container(std::get_if<Lazy>(&storage_), std::get_if<Lazy>(&other.storage_)) ||
         same_container(std::get_if<List>(&storage_), std::get_if<List>(&other.storage_)) ||
         same_container(std::get_if<Map>(&storage_), std::get_if<Map>(&other.storage_));
}

// A whole payload goes out as it came in.
Result<Payload> Value::to_json(std::size_t max_bytes) const {
  if (const Lazy* lazy = std::get_if<Lazy>(&storage_)) {
    const Payload& payload = (*lazy)->payload();
    bool whole = (*lazy)->extent() == LazyJson::Extent::whole && !(*lazy)->text().empty();
    if (whole && payload.size() <= max_bytes) return payload;
  } else if (is_null()) {
    return Payload();
  }
  std::string out;
  if (auto written = append_json(out, max_bytes); !written)
    return std::unexpected(std::move(written.error()));
  return Payload(std::move(out));
}

}  // namespace ganglion::expr
