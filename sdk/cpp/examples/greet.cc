// Starts a run, follows its journal, prints its output.
//
//   example_greet Ada Grace

#include <boost/json/serialize.hpp>
#include <iostream>

#include "ganglion/client.h"

int main(int argc, char** argv) {
  boost::json::array names;
  for (int i = 1; i < argc; ++i) names.emplace_back(argv[i]);
  try {
    ganglion::Client client;
    const ganglion::Run run =
        client.start("greet", boost::json::object{{"names", names}});  // durable when it returns
    client.follow(run.id, [](const ganglion::JournalEvent& event) {
      std::cout << event.seq << ' ' << event.type << '\n';
      return true;
    });
    std::cout << client.get(run.id).output() << '\n';
  } catch (const ganglion::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
