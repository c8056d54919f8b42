#pragma once

// What happens in a world that need not happen: people's requests, arrivals, and everything that goes wrong.
// Each is an event with a name of its own, `site:number` (`engine-1.crash:3`: what was drawn at the third
// occasion of that site). A world can be told to let only some of its events happen; then a failure can be
// shrunk to those that it needs, and one line reproduces it.
//
// Sites are independent of each other: leaving one event out moves no other one.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/strong_id.h"
#include "sim/kernel/draw.h"
#include "sim/kernel/sim_time.h"
#include "sim/kernel/timeline.h"

namespace ganglion::sim {

using SiteId = StrongId<struct SiteIdTag, std::uint32_t>;

// The names of the only events that may happen; nothing: all that are drawn.
using OnlyEvents = std::optional<std::set<std::string>>;

class Fate {
 public:
  struct Event {
    SiteId site;
    std::uint32_t number = 0;
    SimTime at;
  };

  // `timeline` outlives this.
  Fate(std::uint64_t seed, const Timeline& timeline, OnlyEvents only = {});

  std::uint64_t seed() const { return seed_; }

  // The same name gives the same site.
  SiteId site(std::string_view name);

  // The next occasion at a site, for numbers that are no events by themselves: how long, how much.
  Draw draw(SiteId site);

  // Whether the next occasion at a site is an event; if so, `draw` has the rest of what is to be drawn.
  // A probability of 0 is no occasion at all.
  struct Occasion {
    bool happens = false;
    Draw draw{0};

    explicit operator bool() const { return happens; }
  };
  Occasion occasion(SiteId site, double probability);

  // An occasion that is told by its own number, not by when it comes: `number` of `site`, each once. What is
  // drawn doesn't depend on what else happens in the world, and nothing is kept of what doesn't happen.
  Occasion once(std::string_view site, std::uint32_t number, double probability);

  // What has happened, in order.
  const std::vector<Event>& events() const { return events_; }
  std::string name_of(const Event& event) const;

 private:
  struct Site {
    std::string name;
    std::uint64_t key;
    std::uint32_t occasions = 0;
    std::set<std::uint32_t> allowed;  // where only some may happen
  };

  const std::uint64_t seed_;
  const Timeline& timeline_;
  const bool restricted_;
  std::map<std::string, std::set<std::uint32_t>, std::less<>> only_;
  std::map<std::string, SiteId, std::less<>> by_name_;
  std::vector<Site> sites_;
  std::vector<Event> events_;
};

}  // namespace ganglion::sim
