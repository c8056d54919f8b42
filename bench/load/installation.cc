#include "bench/load/installation.h"

#include <algorithm>
#include <utility>

#include "bench/load/process_figures.h"

namespace ganglion::bench {
namespace {

constexpr double kMebibyte = 1 << 20;

}  // namespace

Installation::Installation(OwnServerOptions options, std::size_t coordinators) {
  options.place = fresh_place();
  while (members_.size() < coordinators) members_.push_back(std::make_unique<OwnServer>(options));
}

std::vector<MeasuredServer> Installation::servers() const {
  std::vector<MeasuredServer> servers;
  for (const auto& member : members_)
    servers.push_back({.address = {.port = member->port()}, .process = member->pid()});
  return servers;
}

std::vector<double> Installation::peaks_mib() const {
  std::vector<double> peaks;
  for (const auto& member : members_) {
    const ProcessFigures figures = process_figures(member->pid());
    // The kernel counts the two in different ways.
    peaks.push_back(static_cast<double>(std::max(figures.peak_bytes, figures.resident_bytes)) / kMebibyte);
  }
  return peaks;
}

void Installation::kill_first() noexcept {
  members_.front()->kill();
}

bool Installation::has_noticed() const {
  return std::all_of(members_.begin() + 1, members_.end(),
                     [](const auto& member) { return member->members_lost() > 0; });
}

}  // namespace ganglion::bench
