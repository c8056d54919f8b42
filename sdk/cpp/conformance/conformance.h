#pragma once

// The conformance program of sdk/behaviours: translates what the suite says into the public calls of the
// client.

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>

namespace conformance {

// One JSON object a line, from any thread.
void print(const boost::json::object& line);
// The next line of input; none at its end.
std::optional<boost::json::object> read_line();

int run_client();
int run_worker(const boost::json::object& settings);

}  // namespace conformance
