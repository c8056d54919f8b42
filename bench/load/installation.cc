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

std::size_t Installation::deaths_noticed() const {
  std::size_t deaths = 0;
  for (const auto& member : members_) deaths += member->members_lost();
  return deaths;
}

void Installation::kill_first() {
  for (const auto& member : members_) lost_before_.push_back(member->members_lost());
  members_.front()->kill();
}

bool Installation::has_noticed() const {
  for (std::size_t i = 1; i < members_.size(); ++i)
    if (members_[i]->members_lost() == lost_before_[i]) return false;
  return true;
}

}  // namespace ganglion::bench
