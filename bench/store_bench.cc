// How fast a store takes commits, and how much room they take in the embedded one.
//   ganglion_store_bench [FOLDER]                 commits/s and latency by number of runs that commit at the
//   same
//                                                 time
//   ganglion_store_bench --store URL              the same over a server: redis:// or postgres://
//   ganglion_store_bench --conversation [FOLDER]  a conversation that stands in every step's input and output
//   ganglion_store_bench --blobs [FOLDER]         what commits notice of large blobs
//   ganglion_store_bench --layouts [FOLDER]       the journal's table layout against its alternative
// FOLDER should lie on the disk that is meant; it is /var/tmp by default, since /tmp may be in memory.

#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/postgres/store.h"
#include "adapters/postgres/url.h"
#include "adapters/redis/store.h"
#include "adapters/redis/url.h"
#include "adapters/sqlite/store.h"
#include "adapters/system/asio_loop.h"
#include "base/asio/asio.h"
#include "store_layouts.h"
#include "store_sizes.h"

namespace ganglion::bench {
namespace {

using Steady = std::chrono::steady_clock;

constexpr auto kTimePerCase = std::chrono::seconds(2);
constexpr std::uint64_t kEventsPerRun = 12;  // a three-step pipeline
constexpr std::size_t kRowBytes = 300;

// Some runs, each of which commits its next event when the last one is durable, and starts over when it has
// ended.
class Load {
 public:
  Load(asio::io_context& context, Store& store, AsioLoop& loop)
      : context_(context), store_(store), loop_(loop), data_('"' + std::string(kRowBytes - 2, 'x') + '"') {}

  void run(std::size_t open_runs) {
    latencies_us_.clear();
    const auto guard = asio::make_work_guard(context_);
    start_ = Steady::now();
    end_ = start_ + kTimePerCase;
    in_flight_ = open_runs;
    for (std::size_t i = 0; i < open_runs; ++i) commit_next(RunId(), 0);
    context_.restart();
    context_.run();
    report(open_runs);
  }

 private:
  Commit next_commit(const RunId& run, std::uint64_t version) {
    const Timestamp now = loop_.now();
    Commit commit{
        .run = run, .expected_version = version, .events = {}, .create = {}, .status = {}, .claim = {}};
    commit.events.push_back({.seq = version + 1,
                             .at = now,
                             .type = "task_completed",
                             .step = "review",
                             .item = std::nullopt,
                             .attempt = 1,
                             .data = data_});
    if (version == 0) {
      commit.run = RunId::make(now, 0, ++runs_);
      commit.create = RunRecord{.id = commit.run,
                                .workflow = "pipeline",
                                .definition = std::string(64, 'd'),
                                .status = "running",
                                .session_id = std::nullopt,
                                .labels = {},
                                .created_at = now,
                                .ended_at = std::nullopt};
    }
    if (version + 1 == kEventsPerRun) commit.status = StatusChange{"completed", now};
    return commit;
  }

  void commit_next(const RunId& run, std::uint64_t version) {
    if (Steady::now() >= end_) {
      if (--in_flight_ == 0) context_.stop();
      return;
    }
    Commit commit = next_commit(run, version % kEventsPerRun);
    const RunId id = commit.run;
    const std::uint64_t reached = commit.events.back().seq;
    store_.commit(std::move(commit), [this, id, reached, begun = Steady::now()](CommitOutcome outcome) {
      if (!std::holds_alternative<Committed>(outcome)) std::exit(1);
      latencies_us_.push_back(static_cast<std::uint32_t>(
          std::chrono::duration_cast<std::chrono::microseconds>(Steady::now() - begun).count()));
      commit_next(id, reached);
    });
  }

  void report(std::size_t open_runs) {
    const std::chrono::duration<double> elapsed = Steady::now() - start_;
    std::ranges::sort(latencies_us_);
    const auto quantile = [this](double q) {
      return latencies_us_[static_cast<std::size_t>(q * static_cast<double>(latencies_us_.size() - 1))] /
             1000.0;
    };
    std::printf("%9zu %10.0f %9.2f %9.2f %9.2f\n", open_runs,
                static_cast<double>(latencies_us_.size()) / elapsed.count(), quantile(0.5), quantile(0.99),
                quantile(1));
    std::fflush(stdout);
  }

  asio::io_context& context_;
  Store& store_;
  AsioLoop& loop_;
  const std::string data_;
  Steady::time_point start_;
  Steady::time_point end_;
  std::size_t in_flight_ = 0;
  std::uint64_t runs_ = 0;
  std::vector<std::uint32_t> latencies_us_;
};

[[noreturn]] void stop(const std::string& reason) {
  std::fprintf(stderr, "%s\n", reason.c_str());
  std::exit(1);
}

template <typename ServerStore>
std::unique_ptr<Store> open_server(asio::io_context& context, const std::string& url) {
  auto opened = ServerStore::open(context, {.url = url, .fatal = stop});
  if (!opened) stop(opened.error().message);
  return std::move(*opened);
}

std::unique_ptr<Store> open_at(const std::string& where, asio::io_context& context, AsioLoop& loop) {
  if (postgres::is_url(where)) return open_server<postgres::Store>(context, where);
  if (redis::is_url(where)) return open_server<redis::Store>(context, where);
  return open_store(where, loop);
}

// `where` is a folder, or the URL of a server.
void measure_commits(const std::string& where) {
  asio::io_context context{1};
  AsioLoop loop(context);
  const std::unique_ptr<Store> store = open_at(where, context, loop);
  for (const std::string& promise : store->weaker_promises()) std::printf("weaker: %s\n", promise.c_str());
  Load load(context, *store, loop);
  std::printf(
      "one event of %zu bytes a commit, %llu commits a run, each durable before the next of its run\n",
      kRowBytes, static_cast<unsigned long long>(kEventsPerRun));
  std::printf("%9s %10s %9s %9s %9s\n", "open runs", "commits/s", "p50 ms", "p99 ms", "max ms");
  for (const std::size_t open_runs : {1, 16, 64, 256, 500, 1000}) load.run(open_runs);
}

}  // namespace
}  // namespace ganglion::bench

int main(int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (first == "--store" && argc > 2) {
    ganglion::bench::measure_commits(argv[2]);
    return 0;
  }
  const std::string_view what = first.starts_with("--") ? first : "";
  const int at = what.empty() ? 1 : 2;
  std::string folder =
      (std::filesystem::path(argc > at ? argv[at] : "/var/tmp") / "ganglion-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) {
    std::perror(folder.c_str());
    return 1;
  }
  if (what == "--layouts")
    ganglion::bench::compare_layouts(folder);
  else if (what == "--conversation")
    ganglion::bench::measure_conversation(folder);
  else if (what == "--blobs")
    ganglion::bench::measure_blobs(folder);
  else
    ganglion::bench::measure_commits(folder);
  std::filesystem::remove_all(folder);
  return 0;
}
