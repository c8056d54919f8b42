// The other process of the SQLite tests.
//   store_child hold FILE           opens the store, prints `open` and waits to be killed
//   store_child open FILE           opens the store, prints `open` or the error's code and message, and ends
//   store_child commit FILE SALT    appends to 20 runs as fast as it can; prints `RUN VERSION` for what was
//   acknowledged

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/sqlite/store.h"
#include "contract/store_driver.h"

namespace ganglion::sqlite {
namespace {

using ganglion::testing::append_to;
using ganglion::testing::is_committed;
using ganglion::testing::laden;
using ganglion::testing::run_number;
using ganglion::testing::start_of;
using ganglion::testing::TestLoop;

constexpr std::uint64_t kRuns = 20;

// One line is one write, so that the reader gets it whole however this process ends.
void print(const std::string& line) {
  const std::string text = line + "\n";
  if (::write(STDOUT_FILENO, text.data(), text.size()) < 0) std::_Exit(2);
}

void keep_appending(Store& store, std::uint64_t run, std::uint64_t version) {
  Commit next =
      version == 0 ? start_of(run_number(run)) : append_to(run_number(run), version, std::string(300, 'x'));
  // A second event and everything else now and then, so that half a commit would show.
  if (version % 3 == 1) {
    next.events.push_back(ganglion::testing::event(version + 2));
    next = laden(std::move(next), run * 1'000'000 + version);
  }
  const std::uint64_t reached = next.events.back().seq;
  store.commit(std::move(next), [&store, run, reached](CommitOutcome outcome) {
    if (!is_committed(outcome)) std::_Exit(3);
    print(std::to_string(run) + " " + std::to_string(reached));
    keep_appending(store, run, reached);
  });
}

int run(std::string_view mode, const std::string& path, std::uint64_t salt) {
  TestLoop loop;
  Result<std::unique_ptr<Store>> store = Store::open({.path = path,
                                                      .post_from_thread = loop.poster(),
                                                      .fatal = [](const std::string&) { std::_Exit(4); },
                                                      .vfs = {}});
  if (!store) {
    print(store.error().code + ": " + store.error().message);
    return 1;
  }
  if (mode == "hold") static_cast<void>((*store)->publish_endpoint("http://127.0.0.1:7420"));
  print("open");
  if (mode == "open") return 0;
  if (mode == "commit") {
    for (std::uint64_t n = 0; n < kRuns; ++n) keep_appending(**store, salt * kRuns + n, 0);
  }
  loop.run_until([] { return false; });
  return 0;
}

}  // namespace
}  // namespace ganglion::sqlite

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  return ganglion::sqlite::run(argv[1], argv[2], argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 0);
}
