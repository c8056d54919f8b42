#include <ganglion/client.h>
#include <ganglion/worker.h>

// Exits with 0 if the library says, as it should, that nobody listens on the port.
int main() {
  ganglion::Worker worker;
  worker.agent("echo", [](ganglion::Task& task) { return task.input(); });
  ganglion::Client client({.server = "http://127.0.0.1:9"});
  try {
    client.get("no-run");
  } catch (const ganglion::Unavailable&) {
    return 0;
  }
  return 1;
}
