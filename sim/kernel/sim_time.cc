#include "sim/kernel/sim_time.h"

namespace ganglion::sim {

std::string format_sim_time(SimTime time) {
  std::string micros = std::to_string(time.count() % 1'000'000);
  micros.insert(0, 6 - micros.size(), '0');
  return std::to_string(time.count() / 1'000'000) + "." + micros + " s";
}

}  // namespace ganglion::sim
