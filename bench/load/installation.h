#pragma once

// Several servers of the benchmark's own over one store and one bus: the coordinators of one installation, in
// the order in which they joined. One is an installation, too.

#include <cstddef>
#include <memory>
#include <vector>

#include "bench/load/measurement.h"
#include "bench/load/own_server.h"

namespace ganglion::bench {

class Installation {
 public:
  // Blocks until all of them serve, each of which starts when the one before does. `options.place` is a fresh
  // one. Throws as OwnServer does.
  Installation(OwnServerOptions options, std::size_t coordinators);

  std::vector<MeasuredServer> servers() const;
  const OwnServer& first() const { return *members_.front(); }
  // The most memory that each of them has had, in MiB.
  std::vector<double> peaks_mib() const;

  // How often one of them has noticed that another one was gone, and taken over what it had to.
  std::size_t deaths_noticed() const;
  // The one that joined first, with SIGKILL: under `centralized` all runs are at home there.
  void kill_first();
  // Whether all others have noticed that.
  bool has_noticed() const;

 private:
  std::vector<std::unique_ptr<OwnServer>> members_;
  std::vector<std::size_t> lost_before_;  // by member: deaths that it had noticed before the kill
};

}  // namespace ganglion::bench
