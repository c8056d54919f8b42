#pragma once

// A world with a small real project, a client that wants one run of it and a worker that performs its tasks.
// Both try again as real ones do. What the store was told is kept, and `check` holds it against what was
// promised.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/world/world.h"

namespace ganglion::sim {

class SmallStory {
 public:
  // `make_store`, `compile` and `project` are filled in.
  explicit SmallStory(WorldOptions options);
  ~SmallStory();

  // Engines, client and worker begin.
  void begin();
  // Goes on until the client knows that the run has ended, at most for `most`. Whether it does.
  bool tell(SimTime most = SimTime(120'000'000));
  // The run has completed once, each of its tasks was accepted once, and its journal has no gap.
  void check();

  World& world() { return *world_; }
  // Every event of the run is in the store, as its type.
  std::vector<std::string> journal();
  // Outcomes of commits so far, by kind.
  std::size_t conflicts() const { return conflicts_; }
  std::size_t commits() const { return commits_; }
  const std::string& run() const { return run_; }
  const std::string& status() const { return status_; }
  bool ended() const { return status_ == "completed" || status_ == "failed" || status_ == "cancelled"; }

 private:
  void send(const std::string& from, HttpCall call, std::function<void(const HttpAnswer&)> answered,
            std::function<void()> failed);
  void start_run();
  void look();
  void poll();
  void complete(const std::string& token);
  HostId next_host(std::uint32_t& turn) const;

  std::unique_ptr<World> world_;
  std::string run_, status_;
  std::uint32_t client_turn_ = 0, worker_turn_ = 0;
  std::size_t commits_ = 0, conflicts_ = 0;
};

}  // namespace ganglion::sim
