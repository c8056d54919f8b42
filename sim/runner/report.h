#pragma once

// What many seeds have shown, for people (a table), for programs (JSON) and for build servers (JUnit's XML,
// as most of them read it).

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/runner/seed_result.h"

namespace ganglion::sim {

struct FailedSeed {
  SeedResult result;
  std::optional<std::vector<std::string>> shrunk =
      {};  // the events that the failure needs, if that was tried
  std::size_t tries = 0;
  std::string reproduce = {};  // a command line
};

class Report {
 public:
  // `scenario` as it was given. Of `expected`, each should be seen in one seed at least.
  Report(std::string scenario, std::vector<std::string> expected)
      : scenario_(std::move(scenario)), expected_(std::move(expected)) {}

  void add(const SeedResult& result);
  void add(FailedSeed failed) { failed_.push_back(std::move(failed)); }
  void took(std::chrono::milliseconds wall) { wall_ = wall; }

  std::uint64_t seeds() const { return seeds_; }
  std::uint64_t failures() const { return failures_; }
  // Of all seeds, in whatever order they came.
  std::uint64_t trace() const { return trace_; }
  const std::vector<FailedSeed>& failed() const { return failed_; }
  // Expected and never seen; nothing is missed by a run of a few seeds or events that somebody chose.
  std::vector<std::string> missed() const;
  void excuse_missed() { excused_ = true; }
  bool holds() const { return failures_ == 0 && missed().empty(); }

  std::string table() const;
  std::string json() const;
  std::string junit() const;

 private:
  std::string figures() const;
  std::string totals_table() const;

  const std::string scenario_;
  const std::vector<std::string> expected_;
  bool excused_ = false;
  std::uint64_t seeds_ = 0, failures_ = 0, steps_ = 0, writes_ = 0, runs_ = 0;
  std::uint64_t trace_ = 0;
  SimTime virtual_{};
  std::chrono::milliseconds wall_{};
  std::map<std::string, std::uint64_t, std::less<>> sightings_;
  std::map<std::string, std::vector<double>> totals_;  // by path, one number a seed
  std::vector<FailedSeed> failed_;
};

}  // namespace ganglion::sim
