#pragma once

// The picture of a run while it goes on: folds journal entries into what a person wants to see, and lays that
// out as lines. Pure: entries and the time come in, lines go out. It reads the journal as clients do, without
// the project file, so it knows nothing that the API doesn't tell.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "cli/styled_line.h"
#include "core/journal.h"

namespace ganglion::cli {

enum class Symbols { ascii, unicode };

class RunTree {
 public:
  // Of each step the steps that it needs; only a fork asks.
  using Needs = std::map<std::string, std::vector<std::string>>;

  // `steps` in the order of their declaration.
  RunTree(std::string run_id, std::string workflow, std::vector<std::string> steps, Needs needs = {});

  // In the order of seq; one that was applied before changes nothing.
  void apply(const JournalEntry& entry);

  const std::string& run_id() const { return run_id_; }
  // The seq of the last entry.
  std::uint64_t last_seq() const { return last_seq_; }
  // As in the HTTP API; the final ones hold until the run is retried.
  const std::string& status() const { return status_; }
  bool ended() const { return status_ == "completed" || status_ == "failed" || status_ == "cancelled"; }

  // Something that goes on only when a person acts, and the command with which they do; `arguments` name the
  // engine in it.
  struct Demand {
    std::string id;     // the same as long as it is the same demand
    std::string place;  // `review` or `review[3]`; empty: the run itself
    std::string what;   // `waits for alice`
    std::string command;
  };
  std::vector<Demand> demands(const std::string& arguments) const;

  // Whether another run does a task of this one just now.
  bool has_sub_run() const;

  struct Layout {
    Timestamp now;
    Symbols symbols = Symbols::unicode;
    std::size_t max_lines = 0;   // 0: all; else the rest is counted in the last line
    std::string arguments = {};  // of the commands that a person is told
  };
  std::vector<StyledLine> lines(const Layout& layout) const;

 private:
  enum class TaskMood { unseen, under_way, backing_off, waiting, done, failed };
  struct Task {
    TaskMood mood = TaskMood::unseen;
    std::uint32_t attempt = 0;
    std::uint32_t iteration = 1;
    std::string error;
    std::string wait;           // of one that waits: `for alice`
    bool needs_person = false;  // of one that waits
    bool names_people = false;  // and says whom
    std::string routed_to;      // an agent
    bool fell_back = false;     // an agent of the chain has failed for good
    bool sub_run = false;       // a run has it now
    std::string performer;      // who has it now, where that is worth a word
  };
  struct Step {
    std::string name;
    std::string status = "pending";
    std::optional<std::size_t> items;  // of a mapped step
    std::map<std::uint32_t, Task> tasks;
    std::size_t done = 0, failed = 0, under_way = 0, backing_off = 0, waiting = 0;
    std::string error;
    std::optional<Timestamp> started_at, ended_at;
  };

  Step& step_named(const std::string& name);
  void apply_to_run(const JournalEntry& entry);
  void apply_to_step(Step& step, const JournalEntry& entry);
  void apply_to_task(Step& step, const JournalEntry& entry);
  void schedule(Step& step, Task& task, const JournalEntry& entry);
  void wait(Step& step, Task& task, const JournalEntry& entry);
  void fail(Step& step, Task& task, const JournalEntry& entry);
  void set_mood(Step& step, Task& task, TaskMood mood);
  void end_step(Step& step, const JournalEntry& entry, std::string status);
  void reopen();
  void pause(const JournalEntry& entry);
  void resume();
  void fork(const JournalEntry& entry);
  void start_over(const std::string& step);
  void add_tokens(const JournalEntry& entry);

  std::string_view shown_status() const;
  StyledLine head(const Layout& layout) const;
  StyledLine line_of(const Step& step, const Layout& layout, bool last) const;
  std::vector<StyledLine> trouble_of(const Step& step, const Layout& layout, bool last) const;
  std::vector<StyledLine> demands_of(const Step& step, const Layout& layout, bool last) const;
  std::string notes_of(const Step& step) const;
  std::vector<const Step*> shown(std::size_t room) const;

  std::string run_id_;
  std::string workflow_;
  std::string status_ = "running";
  std::string error_;
  std::vector<Step> steps_;
  std::map<std::string, std::size_t> positions_;
  Needs needs_;
  std::uint64_t last_seq_ = 0;
  std::uint64_t paused_at_ = 0;  // the seq of the pause that a failure has caused
  double tokens_ = 0;
  std::optional<Timestamp> started_at_, ended_at_;
};

}  // namespace ganglion::cli
