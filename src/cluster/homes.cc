#include "cluster/homes.h"

namespace ganglion::cluster {
namespace {

// SplitMix64's finalizer (Steele, Lea and Flood, 2014): every bit of the input moves half of the output's.
std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31);
}

// The same in every process, which std::hash needn't be.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0x9E3779B97F4A7C15U;
  for (const char c : text) hash = mix(hash ^ static_cast<unsigned char>(c));
  return hash;
}

const std::string kNobody;

}  // namespace

void Homes::update(std::span<const Member> live, Strategy strategy) {
  live_.assign(live.begin(), live.end());
  strategy_ = strategy;
  by_domain_.clear();
  coordinators_.clear();
  performers_.clear();
  for (const Member& member : live_) {
    const Candidate candidate{member.id, hash_of(member.id)};
    if (member.coordinates) coordinators_.push_back(candidate);
    if (!member.performs) continue;
    for (const std::string& agent : member.takes) performers_[agent].push_back(candidate);
  }
}

const std::string& Homes::of_run(std::uint16_t placement_key, const std::string& domain) const {
  const Candidates& candidates = serving(domain);
  if (strategy_ == Strategy::centralized) return candidates.empty() ? kNobody : candidates.front().id;
  return highest(candidates, mix(placement_key + 1U));
}

const std::string& Homes::of_duty(std::string_view duty) const {
  if (strategy_ == Strategy::centralized) return coordinators_.empty() ? kNobody : coordinators_.front().id;
  return highest(coordinators_, hash_of(duty));
}

const std::string& Homes::of_agent(const std::string& agent) const {
  const auto found = performers_.find(agent);
  return found == performers_.end() ? kNobody : highest(found->second, hash_of(agent));
}

const Homes::Candidates& Homes::serving(const std::string& domain) const {
  const auto [at, is_new] = by_domain_.try_emplace(domain);
  if (!is_new) return at->second;
  for (const Member& member : live_) {
    if (member.serves(domain)) at->second.push_back({member.id, hash_of(member.id)});
  }
  return at->second;
}

const std::string& Homes::highest(const Candidates& candidates, std::uint64_t key) {
  const std::string* best = &kNobody;
  std::uint64_t most = 0;
  for (const Candidate& candidate : candidates) {
    const std::uint64_t score = mix(candidate.hash ^ key);
    if (best != &kNobody && score <= most) continue;
    best = &candidate.id;
    most = score;
  }
  return *best;
}

}  // namespace ganglion::cluster
