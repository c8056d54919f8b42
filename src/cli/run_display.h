#pragma once

// A run on its way, on standard error: a tree that is drawn again in place on a terminal, a line per event
// elsewhere, nothing for programs but what only a person can do. What workers print comes in between.

#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/journal_text.h"
#include "cli/live_view.h"
#include "cli/run_tree.h"

namespace ganglion::cli {

// Lines from the engine's thread, waiting for the thread that draws.
class WorkerOutput {
 public:
  static constexpr std::size_t kMaxLines = 10'000;  // waiting; what comes on top is dropped, and counted

  void push(const std::string& worker, const std::string& line);
  std::vector<std::string> take();

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
  std::size_t dropped_ = 0;
};

enum class DisplayMode { live, lines, silent };

class RunDisplay {
 public:
  // `arguments` name the engine in commands that a person is told (target_arguments).
  RunDisplay(DisplayMode mode, RunTree tree, WorkerOutput& output, std::string arguments = {});

  const RunTree& tree() const { return tree_; }
  // A new entry of the journal. History that was there before somebody looked is drawn like the rest.
  void apply(const JournalEntry& entry);
  // Time has passed.
  void tick();
  // A line that is not from the journal.
  void note(const std::string& line);
  // What only a person can do, however the rest is shown; the first line and those below it.
  void demand(const std::string& text);
  // The last picture, whole.
  void finish();

 private:
  void draw(bool whole);
  void announce();

  DisplayMode mode_;
  RunTree tree_;
  WorkerOutput& output_;
  Narrator narrator_;
  LiveView view_;
  std::vector<std::string> notes_;
  std::string arguments_;
  std::set<std::string> announced_;  // demands, by their ids
};

// As the standard error of this process wants it.
DisplayMode display_mode();

}  // namespace ganglion::cli
