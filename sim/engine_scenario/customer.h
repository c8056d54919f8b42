#pragma once

// A client of the API that does now and then whatever clients do: starts runs, asks about them, changes its
// mind, decides approvals, publishes events, writes state, follows journals. It tells the history what it is
// told.

#include <string>
#include <vector>

#include "sim/actors/program.h"
#include "sim/checkers/history.h"

namespace ganglion::sim {

class Customer final : public Program {
 public:
  struct Options {
    SimTime pause_most{600'000};  // between two requests
    std::size_t project = 0;      // of engine_project
    bool changes_projects = false;
  };
  Customer(World& world, const std::string& name, Options options, History& history);

  void start() { act_later(); }
  // Nothing new any more; what is under way is finished.
  void calm() { calm_ = true; }

 private:
  void act_later();
  void act(Draw draw);
  void start_run(Draw& draw);
  void start_again(Draw& draw);
  void submit_start(const std::string& key, const std::string& body);
  void verb(const std::string& run, const std::string& verb);
  void fork(const std::string& run, Draw& draw);
  void signal(const std::string& run, Draw& draw);
  void publish(Draw& draw);
  void write_state(Draw& draw);
  void decide_first(Draw& draw);
  void decide(const std::string& id, const std::string& digest, const char* decision);
  void guess(Draw& draw);
  void look(const std::string& run);
  void list();
  void follow(const std::string& run);
  void follow_log();
  void requeue();
  void change_project(Draw& draw);
  std::string any_run(Draw& draw) const;

  Options options_;
  History& history_;
  SiteId pause_, action_;
  bool calm_ = false;
  std::uint64_t last_ = 0;
  std::vector<std::pair<std::string, std::string>> starts_;  // key, body
  std::vector<std::string> runs_;
};

}  // namespace ganglion::sim
