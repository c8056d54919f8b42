#pragma once

// What the process of worker_process.h does.

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/asio/asio.h"
#include "bench/load/worker_process.h"

namespace ganglion::bench {

// When results of a run were sent, until all of the run's tasks have been answered.
class Turnarounds {
 public:
  explicit Turnarounds(const Workload& workload);

  // A task of this step is at a worker. Gives how long it took since the last result that it needed.
  std::optional<Steady::duration> arrived(const std::string& run, std::size_t step,
                                          Steady::time_point now) const;
  void sent(const std::string& run, std::size_t step, Steady::time_point now);
  std::size_t open_runs() const { return runs_.size(); }

 private:
  struct Run {
    std::size_t answered = 0;
    std::vector<Steady::time_point> sent;  // by step; the epoch: not yet
  };
  std::vector<std::vector<std::size_t>> needs_;  // by step
  std::vector<std::size_t> tasks_of_run_;        // by step
  std::unordered_map<std::string, Run> runs_;
};

class WorkerLoop {
 public:
  WorkerLoop(asio::io_context& context, const WorkerOptions& options, const Workload& workload);

  // Until `stop` becomes readable; throws what goes wrong.
  WorkerReport run(int stop);

 private:
  struct Result {
    std::string token;
    std::string run;
    std::size_t step;
  };

  Awaitable<void> poll(int number);
  Awaitable<void> report_when_due();
  Awaitable<void> perform(Result result);
  // Takes the tasks of an answer. Gives what can be reported at once; the rest is being performed.
  std::vector<Result> take_tasks(std::string_view body);
  // As a JSON list; they count as sent now.
  std::string results_json(const std::vector<Result>& results);
  std::size_t step_named(std::string_view name) const;
  void spawn(Awaitable<void> part);

  asio::io_context& context_;
  const WorkerOptions& options_;
  const Workload& workload_;
  std::unordered_map<std::string_view, std::size_t> steps_;
  Turnarounds turnarounds_;
  std::vector<Result> due_;
  LoopTimer due_timer_;  // never expires; cancelled when something is due
  WorkerReport report_;
};

}  // namespace ganglion::bench
