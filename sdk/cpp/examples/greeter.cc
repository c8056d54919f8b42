// A worker with one agent.
//
//   ganglion serve -f examples/ganglion.yaml &
//   example_greeter

#include <boost/json/object.hpp>
#include <iostream>
#include <string>

#include "ganglion/worker.h"

namespace {

boost::json::value greet(ganglion::Task& task) {
  const std::string name(task.input().at("name").as_string());
  if (name.empty()) throw ganglion::Fail("no_name", "there is nobody to greet");
  task.usage("letters", static_cast<double>(name.size()));
  return boost::json::object{{"text", "Hello " + name}};
}

}  // namespace

int main() {
  ganglion::Worker worker({.concurrency = 4});
  worker.agent("greeter", greet);
  try {
    worker.run_until_signal();  // SIGTERM or SIGINT stop it
  } catch (const ganglion::Problem& refused) {
    std::cerr << refused.what() << '\n';
    return 1;
  }
}
