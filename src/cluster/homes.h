#pragma once

// Who looks after what, by rendezvous hashing (Thaler and Ravishankar, 1998): whoever has the highest score
// for a key has it, so that a member that comes or goes moves only its own share. Everybody who knows the
// same members comes to the same answer without a word.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/member.h"
#include "core/coordination.h"

namespace ganglion::cluster {

class Homes {
 public:
  // `live` by id. Under `centralized` the earliest member has everything of its domains.
  void update(std::span<const Member> live, Strategy strategy);

  // The coordinator of runs of this domain with this placement key; empty where nobody serves the domain.
  const std::string& of_run(std::uint16_t placement_key, const std::string& domain) const;
  // The one coordinator that has a duty of which there is one in the installation, such as starting what
  // events start.
  const std::string& of_duty(std::string_view duty) const;
  // The member with the role `agents` that hands out the tasks of an agent whose limits hold for all of them.
  const std::string& of_agent(const std::string& agent) const;

 private:
  struct Candidate {
    std::string id;
    std::uint64_t hash;
  };
  using Candidates = std::vector<Candidate>;

  const Candidates& serving(const std::string& domain) const;
  static const std::string& highest(const Candidates& candidates, std::uint64_t key);

  std::vector<Member> live_;
  Strategy strategy_ = Strategy::mesh;
  Candidates coordinators_;
  std::map<std::string, Candidates, std::less<>> performers_;  // by limited agent
  mutable std::map<std::string, Candidates> by_domain_;        // as they were asked for
};

}  // namespace ganglion::cluster
