// Which table layout suits a journal? Rows of many open runs arrive interleaved and each run grows at its own
// end. The winner is the schema of adapters/sqlite; this keeps the comparison repeatable.

#include "store_layouts.h"

#include <sqlite3.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace ganglion::bench {
namespace {

constexpr int kEventsPerRun = 12;  // a three-step pipeline
constexpr int kRowBytes = 300;
constexpr auto kTimePerCase = std::chrono::milliseconds(1500);

struct Layout {
  const char* name;
  const char* schema;
};
constexpr std::array<Layout, 2> kLayouts = {
    Layout{
        "WITHOUT ROWID, PRIMARY KEY(run, seq)",
        "CREATE TABLE journal(run INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER, type TEXT, data TEXT,"
        " PRIMARY KEY(run, seq)) WITHOUT ROWID"},
    Layout{
        "rowid + UNIQUE INDEX(run, seq)",
        "CREATE TABLE journal(run INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER, type TEXT, data TEXT);"
        "CREATE UNIQUE INDEX journal_position ON journal(run, seq)"}};

void run_sql(sqlite3* database, const char* sql) {
  if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return;
  std::fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(database));
  std::exit(1);
}

// Appends to `open_runs` journals in turn; a run that has its events makes room for the next one.
class Workload {
 public:
  explicit Workload(int open_runs) : events_(static_cast<std::size_t>(open_runs), 0) {
    for (int i = 0; i < open_runs; ++i) {
      runs_.push_back(next_run_++);
      events_[static_cast<std::size_t>(i)] = i % kEventsPerRun;  // not all at the same place of their journal
    }
  }

  void next(sqlite3_int64& run, sqlite3_int64& seq) {
    const std::size_t slot = turn_++ % runs_.size();
    if (events_[slot] == kEventsPerRun) {
      runs_[slot] = next_run_++;
      events_[slot] = 0;
    }
    run = runs_[slot];
    seq = ++events_[slot];
  }

 private:
  std::vector<sqlite3_int64> runs_;
  std::vector<int> events_;
  sqlite3_int64 next_run_ = 1;
  std::size_t turn_ = 0;
};

double rows_per_second(const Layout& layout, int open_runs, int batch, const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
  sqlite3* database = nullptr;
  if (sqlite3_open(path.c_str(), &database) != SQLITE_OK) std::exit(1);
  run_sql(database,
          "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
          "PRAGMA cache_size=-4096; PRAGMA wal_autocheckpoint=4096");
  run_sql(database, layout.schema);
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(database, "INSERT INTO journal(run, seq, at, type, data) VALUES(?,?,?,?,?)", -1, &insert,
                     nullptr);
  const std::string data(kRowBytes, 'x');
  Workload workload(open_runs);
  std::int64_t rows = 0;
  const auto start = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - start < kTimePerCase) {
    run_sql(database, "BEGIN IMMEDIATE");
    for (int i = 0; i < batch; ++i, ++rows) {
      sqlite3_int64 run = 0;
      sqlite3_int64 seq = 0;
      workload.next(run, seq);
      sqlite3_bind_int64(insert, 1, run);
      sqlite3_bind_int64(insert, 2, seq);
      sqlite3_bind_int64(insert, 3, 1'700'000'000'000 + rows);
      sqlite3_bind_text(insert, 4, "task_completed", -1, SQLITE_STATIC);
      sqlite3_bind_text(insert, 5, data.data(), static_cast<int>(data.size()), SQLITE_STATIC);
      if (sqlite3_step(insert) != SQLITE_DONE) {
        std::fprintf(stderr, "insert: %s\n", sqlite3_errmsg(database));
        std::exit(1);
      }
      sqlite3_reset(insert);
    }
    run_sql(database, "COMMIT");
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  sqlite3_finalize(insert);
  sqlite3_close(database);
  return static_cast<double>(rows) / elapsed.count();
}

}  // namespace

void compare_layouts(const std::string& folder) {
  std::printf("%-40s %9s %10s %10s %10s\n", "rows/s", "open runs", "batch 1", "batch 16", "batch 256");
  for (const Layout& layout : kLayouts) {
    for (const int open_runs : {1, 64, 500}) {
      std::printf("%-40s %9d", layout.name, open_runs);
      for (const int batch : {1, 16, 256}) {
        std::printf(" %10.0f", rows_per_second(layout, open_runs, batch, folder + "/layouts.db"));
        std::fflush(stdout);
      }
      std::printf("\n");
    }
  }
}

}  // namespace ganglion::bench
