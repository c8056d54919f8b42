#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>
#include <mutex>
#include <string_view>

#include "conformance.h"

namespace conformance {

void print(const boost::json::object& line) {
  static std::mutex mutex;
  const std::scoped_lock lock(mutex);
  std::cout << boost::json::serialize(line) << std::endl;
}

std::optional<boost::json::object> read_line() {
  std::string line;
  if (!std::getline(std::cin, line)) return std::nullopt;
  return boost::json::parse(line, {}, {.max_depth = 256}).as_object();
}

}  // namespace conformance

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "client") return conformance::run_client();
  if (mode == "worker" && argc > 2) return conformance::run_worker(boost::json::parse(argv[2]).as_object());
  std::cerr << "usage: " << argv[0] << " client | worker SETTINGS\n";
  return 2;
}
