#include "agents/fair_queue.h"

#include <algorithm>

#include "base/assert.h"

namespace ganglion::agents {

bool FairQueue::ByTurn::operator()(const Item* a, const Item* b) const {
  return a->turn_ != b->turn_ ? a->turn_ < b->turn_ : a->arrival_ < b->arrival_;
}

FairQueue::Level& FairQueue::level_of(std::int32_t priority) {
  const auto [at, added] = levels_.try_emplace(priority);
  if (added) at->second.now = forgotten_;
  return at->second;
}

void FairQueue::add(Item& item, std::string_view key, std::int32_t priority) {
  item.arrival_ = serial_++;
  item.priority_ = priority;
  item.put_back_ = false;
  Level& level = level_of(priority);
  auto flow = level.flows.find(key);
  if (flow == level.flows.end()) flow = level.flows.emplace(std::string(key), Flow{}).first;
  Flow& of = flow->second;
  if (of.tasks.empty()) {
    of.turn = {std::max(of.turn.start, level.now), item.arrival_};
    level.order.emplace(of.turn, flow);
  }
  of.tasks.emplace(item.arrival_, &item);
  item.flow_ = flow;
  ++size_;
}

bool FairQueue::put_back_first(const Level& level) {
  if (level.put_back.empty()) return false;
  return level.order.empty() || (*level.put_back.begin())->turn_ <= level.order.begin()->first;
}

FairQueue::Item& FairQueue::front() {
  GANGLION_ASSERT(!empty());
  const Level& level = levels_.begin()->second;
  if (put_back_first(level)) return **level.put_back.begin();
  return *level.order.begin()->second->second.tasks.begin()->second;
}

FairQueue::Rank FairQueue::rank() const {
  GANGLION_ASSERT(!empty());
  const auto& [priority, level] = *levels_.begin();
  if (put_back_first(level)) return {priority, (*level.put_back.begin())->turn_.since};
  return {priority, level.order.begin()->first.since};
}

FairQueue::Item& FairQueue::take() {
  Item& item = front();
  if (!item.put_back_) {
    Level& level = levels_.begin()->second;
    Flow& flow = item.flow_->second;
    item.turn_ = flow.turn;
    advance(level, flow.turn.start);
    level.order.erase(flow.turn);
    flow.turn = {std::max(flow.turn.start + 1, level.now), serial_++};
    level.order.emplace(flow.turn, item.flow_);
    // The turn that is charged for is the old one.
    const Turn had = item.turn_;
    remove(item);
    item.turn_ = had;
  } else {
    remove(item);
  }
  return item;
}

void FairQueue::remove(Item& item) {
  const auto level = levels_.find(item.priority_);
  GANGLION_ASSERT(level != levels_.end());
  if (item.put_back_) {
    level->second.put_back.erase(&item);
    item.put_back_ = false;
  } else {
    detach(level->second, item);
  }
  --size_;
  drop_if_empty(level);
}

void FairQueue::put_back(Item& item) {
  item.put_back_ = true;
  const bool added = level_of(item.priority_).put_back.insert(&item).second;
  GANGLION_ASSERT(added);
  ++size_;
}

void FairQueue::detach(Level& level, Item& item) {
  Flow& flow = item.flow_->second;
  item.turn_ = flow.turn;
  const std::size_t erased = flow.tasks.erase(item.arrival_);
  GANGLION_ASSERT(erased == 1);
  if (!flow.tasks.empty()) return;
  level.order.erase(flow.turn);
  rest(level, item.flow_);
}

// A key without tasks is forgotten as soon as it would get the same turn as one that was never seen.
void FairQueue::rest(Level& level, Flows::iterator flow) {
  if (flow->second.resting) return;
  if (flow->second.turn.start <= level.now) {
    level.flows.erase(flow);
    return;
  }
  flow->second.resting = true;
  level.resting.push_back(flow);
  if (level.resting.size() > kMaxResting) advance(level, level.now + 1);
}

void FairQueue::advance(Level& level, std::uint64_t now) {
  if (now <= level.now) return;
  level.now = now;
  for (const auto flow : level.resting) {
    flow->second.resting = false;
    if (flow->second.tasks.empty()) level.flows.erase(flow);
  }
  level.resting.clear();
}

void FairQueue::drop_if_empty(Levels::iterator level) {
  const Level& in = level->second;
  if (!in.order.empty() || !in.put_back.empty()) return;
  forgotten_ = std::max(forgotten_, in.now);
  levels_.erase(level);
}

void FairQueue::for_each(const std::function<void(Item&)>& visit) const {
  for (const auto& [priority, level] : levels_) {
    for (Item* item : level.put_back) visit(*item);
    for (const auto& [key, flow] : level.flows) {
      for (const auto& [arrival, item] : flow.tasks) visit(*item);
    }
  }
}

std::size_t FairQueue::resting() const {
  std::size_t keys = 0;
  for (const auto& [priority, level] : levels_) {
    keys += static_cast<std::size_t>(
        std::ranges::count_if(level.flows, [](const auto& flow) { return flow.second.tasks.empty(); }));
  }
  return keys;
}

}  // namespace ganglion::agents
