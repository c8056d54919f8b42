#pragma once

// One process of an installation, as it tells the others about itself.

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace ganglion::cluster {

struct Member {
  std::string id;            // a run id's form: the earlier a member has joined, the lower its id
  bool coordinates = false;  // it has the role `coordinator`
  bool performs = false;     // it has the role `agents`
  std::vector<std::string> domains = {};  // that it coordinates; empty for all of them
  // Agents with limits whose tasks it could hand out at present.
  std::vector<std::string> takes = {};

  bool serves(std::string_view domain) const {
    return coordinates && (domains.empty() || std::ranges::find(domains, domain) != domains.end());
  }

  bool operator==(const Member&) const = default;
};

}  // namespace ganglion::cluster
