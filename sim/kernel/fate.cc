#include "sim/kernel/fate.h"

#include <charconv>

namespace ganglion::sim {

Fate::Fate(std::uint64_t seed, const Timeline& timeline, OnlyEvents only)
    : seed_(seed), timeline_(timeline), restricted_(only.has_value()) {
  if (!only) return;
  for (const std::string& name : *only) {
    const std::size_t colon = name.rfind(':');
    if (colon == std::string::npos) continue;
    std::uint32_t number = 0;
    std::from_chars(name.data() + colon + 1, name.data() + name.size(), number);
    only_[name.substr(0, colon)].insert(number);
  }
}

SiteId Fate::site(std::string_view name) {
  if (const auto known = by_name_.find(name); known != by_name_.end()) return known->second;
  const SiteId id(static_cast<std::uint32_t>(sites_.size()));
  Site site{std::string(name), mix(seed_, mix_text(name)), 0, {}};
  if (const auto allowed = only_.find(name); allowed != only_.end()) site.allowed = allowed->second;
  sites_.push_back(std::move(site));
  by_name_.emplace(name, id);
  return id;
}

Draw Fate::draw(SiteId id) {
  Site& site = sites_[id.value()];
  return Draw(mix(site.key, ++site.occasions));
}

Fate::Occasion Fate::occasion(SiteId id, double probability) {
  if (probability <= 0) return {};
  Draw draw = this->draw(id);
  if (!draw.chance(probability)) return {};
  const Site& site = sites_[id.value()];
  if (restricted_ && !site.allowed.contains(site.occasions)) return {};
  events_.push_back({id, site.occasions, timeline_.now()});
  return {true, draw};
}

Fate::Occasion Fate::once(std::string_view name, std::uint32_t number, double probability) {
  if (probability <= 0) return {};
  if (restricted_) {
    const auto allowed = only_.find(name);
    if (allowed == only_.end() || !allowed->second.contains(number)) return {};
  }
  Draw draw(mix(mix(seed_, mix_text(name)), number));
  if (!draw.chance(probability)) return {};
  events_.push_back({site(name), number, timeline_.now()});
  return {true, draw};
}

std::string Fate::name_of(const Event& event) const {
  return sites_[event.site.value()].name + ":" + std::to_string(event.number);
}

}  // namespace ganglion::sim
