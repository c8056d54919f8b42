// What check_json accepts, Boost.JSON must accept too and read as the same value twice; what it refuses for
// its grammar, Boost.JSON must refuse. Numbers beyond a double's range are left to the readers.

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "ingress/http/json_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto checked = ganglion::http::check_json(text);
  boost::system::error_code error;
  boost::json::parse_options options;
  options.max_depth = 65;
  const boost::json::value value = boost::json::parse({text.data(), text.size()}, error, {}, options);
  const bool range = error == boost::json::error::exponent_overflow;
  if (checked && error && !range) std::abort();
  if (!checked && !error && checked.error().code == "malformed_json") std::abort();
  return 0;
}
