#pragma once

// Results that have no verdict yet. A result stays until the server has said what became of it, through any
// number of failed attempts to send it. Bounded, since a result keeps its task's place in the lane.

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "mailbox.h"

namespace ganglion {

struct PendingResult {
  std::string token;
  std::string agent;
  EncodedResult result;
  int sent = 0;
};

class Outbox {
 public:
  std::size_t size() const { return results_.size(); }
  bool contains(std::string_view token) const;
  void put(PendingResult result) { results_.push_back(std::move(result)); }
  // The oldest ones that fit into one request; they stay.
  std::vector<PendingResult*> batch();
  void settle(const std::vector<std::string>& tokens);
  PendingResult* find(std::string_view token);
  // The server refused a batch as a whole: the next one has a single result, to find the one to blame.
  void send_one_by_one() { one_by_one_ = true; }

 private:
  std::list<PendingResult> results_;
  bool one_by_one_ = false;
};

}  // namespace ganglion
