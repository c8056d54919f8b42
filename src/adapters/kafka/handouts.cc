#include "adapters/kafka/handouts.h"

#include <algorithm>
#include <utility>

#include "adapters/kafka/queues.h"

namespace ganglion::kafka {
namespace {

// Between two looks, where there are plain clients and where there are none.
constexpr std::chrono::milliseconds kLook{150};
constexpr std::chrono::milliseconds kLookForNobody{500};
constexpr std::chrono::milliseconds kLong{2'000};  // for a message to be with a group
constexpr std::uint32_t kMostAtOnce = 1'024;

}  // namespace

void Handouts::tick() {
  const auto interval = counters_.empty() ? kLookForNobody : kLook;
  if (looking_ || Steady::now() - looked_ < interval || !session_.is_live()) return;
  if (!session_.is_keeper() || session_.ledger().queues().empty()) return;
  looking_ = true;
  errands_.groups([this](const Result<std::set<std::string>>& groups) {
    looking_ = false;
    looked_ = Steady::now();
    if (groups) look(*groups);
  });
}

void Handouts::lost() {
  for (const auto& [queue, counter] : counters_) consumers_.cancel(counter.consumer);
  counters_.clear();
}

void Handouts::look(const std::set<std::string>& groups) {
  for (const auto& [queue, state] : session_.ledger().queues()) {
    const std::string name = names_.handout(queue);
    if (state.going) continue;
    if (!groups.contains(name) && !counters_.contains(queue)) continue;
    errands_.group(name, name, kHandoutPartitions, [this, queue](const Result<GroupState>& group) {
      if (group) told(queue, *group);
    });
  }
}

void Handouts::told(const std::string& queue, const GroupState& state) {
  const auto found = counters_.find(queue);
  if (found != counters_.end()) {
    acknowledge(found->second, state.committed);
    if (state.members == 0) return close(queue);
    return resize(found->second, state.members);
  }
  if (state.members > 0 && session_.is_live()) open(queue, state.members);
}

void Handouts::open(const std::string& queue, std::size_t members) {
  Counter& counter = counters_[queue];
  counter.at_once = static_cast<std::uint32_t>(members);
  counter.copies.resize(kHandoutPartitions);
  counter.consumer = consumers_.add(queue, counter.at_once,
                                    [this, queue](Delivery delivery) { copy(queue, std::move(delivery)); });
}

// Whoever comes next must not find what has gone back.
void Handouts::close(const std::string& queue) {
  const auto counter = counters_.extract(queue);
  consumers_.cancel(counter.mapped().consumer);
  errands_.shorten(names_.handout(queue), std::vector<std::int64_t>(kHandoutPartitions, Reader::kEnd));
}

void Handouts::copy(const std::string& queue, Delivery delivery) {
  Counter& counter = counters_.at(queue);
  const std::size_t partition = counter.turn++ % counter.copies.size();
  producer_.send(
      names_.handout(queue), static_cast<std::int32_t>(partition), headers_of(delivery.message),
      delivery.message.body,
      [this, queue, consumer = counter.consumer, partition, tag = delivery.tag](const Result<Offset>& sent) {
        if (!sent) return consumers_.requeue(tag);
        const auto found = counters_.find(queue);
        if (found == counters_.end() || found->second.consumer != consumer) return;
        found->second.copies[partition].emplace(*sent, Copy{tag, Steady::now()});
      });
}

// What a group commits is the offset after the last that it is done with.
void Handouts::acknowledge(Counter& counter, const std::vector<std::int64_t>& committed) {
  for (std::size_t partition = 0; partition < committed.size(); ++partition) {
    auto& copies = counter.copies[partition];
    while (!copies.empty() && copies.begin()->first < committed[partition]) {
      consumers_.acknowledge(copies.begin()->second.original);
      copies.erase(copies.begin());
    }
  }
}

void Handouts::resize(Counter& counter, std::size_t members) {
  const auto least = static_cast<std::uint32_t>(members);
  const auto is_long = [now = Steady::now()](const auto& copies) {
    return !copies.empty() && now - copies.begin()->second.made > kLong;
  };
  const bool all_done =
      std::ranges::all_of(counter.copies, [](const auto& copies) { return copies.empty(); });
  if (std::ranges::any_of(counter.copies, is_long))
    counter.at_once = least;
  else if (all_done)
    counter.at_once = std::min(std::max(2 * counter.at_once, least), std::max(kMostAtOnce, least));
  consumers_.resize(counter.consumer, counter.at_once);
}

}  // namespace ganglion::kafka
