#include "sim/runner/seed_json.h"

#include <boost/json.hpp>
#include <charconv>

#include "base/json_text.h"

namespace ganglion::sim {
namespace {

namespace json = boost::json;

std::string list_json(const std::vector<std::string>& texts) {
  std::string list = "[";
  for (const std::string& text : texts) {
    if (list.size() > 1) list += ',';
    append_json_string(list, text);
  }
  return list + "]";
}

std::vector<std::string> texts_of(const json::value& list) {
  std::vector<std::string> texts;
  for (const json::value& text : list.as_array()) texts.emplace_back(text.as_string());
  return texts;
}

}  // namespace

std::string hex(std::uint64_t number) {
  char digits[17] = {};
  const auto end = std::to_chars(digits, digits + 16, number, 16);
  std::string text(digits, end.ptr);
  return std::string(16 - text.size(), '0') + text;
}

std::string seed_json(const SeedResult& result) {
  JsonObject sightings;
  for (const auto& [what, times] : result.sightings) sightings.add(what, static_cast<std::int64_t>(times));
  JsonObject object;
  object.add("seed", static_cast<std::int64_t>(result.seed));
  object.add_raw("violations", list_json(result.violations)).add("trace", hex(result.trace));
  object.add_raw("events", list_json(result.events)).add_raw("sightings", sightings.finish());
  object.add_raw("totals", result.totals.empty() ? "null" : result.totals);
  object.add("steps", static_cast<std::int64_t>(result.steps));
  object.add("writes", static_cast<std::int64_t>(result.writes));
  object.add("runs", static_cast<std::int64_t>(result.runs));
  object.add("virtual_ms", static_cast<std::int64_t>(result.length.count() / 1'000));
  return object.finish();
}

Result<SeedResult> read_seed_json(std::string_view text) {
  try {
    const json::value value = json::parse(text);
    const auto number = [&](const char* name) { return value.at(name).to_number<std::uint64_t>(); };
    SeedResult result{.seed = number("seed"), .violations = texts_of(value.at("violations"))};
    const json::string& trace = value.at("trace").as_string();
    std::from_chars(trace.data(), trace.data() + trace.size(), result.trace, 16);
    result.events = texts_of(value.at("events"));
    for (const auto& sighting : value.at("sightings").as_object()) {
      result.sightings.emplace(sighting.key(), sighting.value().to_number<std::uint64_t>());
    }
    if (!value.at("totals").is_null()) result.totals = json::serialize(value.at("totals"));
    result.steps = number("steps");
    result.writes = number("writes");
    result.runs = number("runs");
    result.length = std::chrono::milliseconds(number("virtual_ms"));
    return result;
  } catch (const std::exception& broken) {
    return fail("malformed", broken.what());
  }
}

}  // namespace ganglion::sim
