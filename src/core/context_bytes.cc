#include "core/context_bytes.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "core/tax.h"

namespace ganglion {
namespace {

std::size_t hash_of(std::string_view text) {
  return std::hash<std::string_view>()(text);
}

// The end of the string that begins at `at`, in valid JSON.
std::size_t string_end(std::string_view json, std::size_t at) {
  for (std::size_t i = at + 1; i < json.size(); ++i) {
    if (json[i] == '\\') {
      ++i;
    } else if (json[i] == '"') {
      return i + 1;
    }
  }
  return json.size();
}

bool is_name(std::string_view json, std::size_t end) {
  const std::size_t next = json.find_first_not_of(" \t\r\n", end);
  return next != std::string_view::npos && json[next] == ':';
}

// The objects, arrays and strings of `json` that are long enough, by their beginnings; at the same beginning
// there is one only.
std::vector<std::string_view> long_values(std::string_view json) {
  std::vector<std::string_view> values;
  std::vector<std::size_t> open;
  const auto add = [&](std::size_t from, std::size_t to) {
    if (to - from >= kRepeatedValue) values.push_back(json.substr(from, to - from));
  };
  for (std::size_t at = 0; at < json.size(); ++at) {
    const char c = json[at];
    if (c == '{' || c == '[') open.push_back(at);
    if ((c == '}' || c == ']') && !open.empty()) {
      add(open.back(), at + 1);
      open.pop_back();
    }
    if (c != '"') continue;
    const std::size_t end = string_end(json, at);
    if (!is_name(json, end)) add(at, end);
    at = end - 1;
  }
  std::ranges::sort(values, {}, [](std::string_view value) { return value.data(); });
  return values;
}

}  // namespace

void ContextMeter::known(std::string_view input) {
  for (const std::string_view value : long_values(input)) seen_.insert(hash_of(value));
}

void ContextMeter::first(std::string_view input) {
  bytes_ += input.size();
  const char* counted = input.data();  // up to here
  for (const std::string_view value : long_values(input)) {
    if (value.data() < counted || !seen_.contains(hash_of(value))) continue;
    repeated_ += value.size();
    counted = value.data() + value.size();
  }
  known(input);
}

void ContextMeter::again(std::string_view input) {
  bytes_ += input.size();
  repeated_ += input.size();
}

}  // namespace ganglion
