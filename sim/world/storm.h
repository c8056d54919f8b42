#pragma once

// Carries out the spells of a world's weather while it breaks, and heals what is broken when that is over.

#include <functional>
#include <string>
#include <vector>

#include "sim/world/world.h"

namespace ganglion::sim {

class Storm {
 public:
  // Begins now; nothing new begins after `until`. What has begun ends in its time, also without the storm.
  Storm(World& world, SimTime until);
  ~Storm();
  Storm(const Storm&) = delete;
  Storm& operator=(const Storm&) = delete;

  // From the next tick on it also befalls something that the world doesn't know of: a worker. `spell` is one
  // of the weather's; `strike` is told how long it lasts.
  using Strike = std::function<void(SimTime lasts)>;
  void also(std::string site, const Spell& spell, Strike strike);

  // What is parted, paused, down or full is so no longer, dead engines run again. Several engines without
  // a broker are started anew: what one of them has begun only that one knows, until another one starts.
  void heal();

 private:
  void tick();
  bool begins(const std::string& site, const Spell& spell, Draw& rest);
  void engines();
  void engine(EngineHost& host);
  void store();
  void audit();
  void up_after(SimTime time);

  struct Other {
    std::string site;
    const Spell* spell;
    Strike strike;
  };

  World& world_;
  SimTime until_;
  MomentId next_tick_;
  MomentId store_up_;
  MomentId audit_up_;
  std::vector<Other> others_;
};

}  // namespace ganglion::sim
