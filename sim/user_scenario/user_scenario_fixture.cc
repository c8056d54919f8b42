#include "sim/user_scenario/user_scenario_fixture.h"

#include <boost/json.hpp>

namespace ganglion::sim {

std::int64_t total(const SeedResult& result, std::string_view path) {
  boost::json::value value = boost::json::parse(result.totals);
  while (!path.empty()) {
    const std::size_t dot = path.find('.');
    value = boost::json::value(value.at(path.substr(0, dot)));
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return value.to_number<std::int64_t>();
}

}  // namespace ganglion::sim
