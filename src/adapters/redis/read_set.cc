#include "adapters/redis/read_set.h"

#include <utility>

#include "adapters/redis/refusal.h"
#include "base/asio/asio.h"

namespace ganglion::redis {

ReadSet::ReadSet(asio::io_context& context, Link& link, std::chrono::milliseconds patience)
    : context_(context), link_(link), patience_(patience) {}

ReadSet::~ReadSet() = default;

void ReadSet::push(std::string command, Done done) {
  if (stopped_) return;
  if (reads_.size() >= kMaxReads) {
    asio::post(context_, [done = std::move(done), alive = std::weak_ptr(alive_)]() mutable {
      if (!alive.expired()) done(fail("unavailable", "too many reads wait for Redis; try again later"));
    });
    return;
  }
  const auto read =
      reads_.emplace(++last_number_, Read{std::move(command), std::move(done), Steady::now()}).first;
  if (link_.ready()) send(read->first, read->second);
}

void ReadSet::send(std::uint64_t number, const Read& read) {
  link_.send(read.command, [this, number](Reply reply) { answered(number, std::move(reply)); });
}

void ReadSet::ready() {
  for (const auto& [number, read] : reads_) send(number, read);
}

void ReadSet::answered(std::uint64_t number, Reply reply) {
  if (stopped_) return;
  if (reply.is_error()) {
    const Refusal refusal = refusal_of(reply);
    if (refusal.kind == Refusal::Kind::again) return link_.drop(refusal.reason);
  }
  auto read = reads_.extract(number);
  if (read.empty()) return;  // it had waited too long
  if (!reply.is_error()) return read.mapped().done(std::move(reply));
  read.mapped().done(fail("store_corrupt", "Redis can't answer a read: " + reply.text));
}

void ReadSet::tick() {
  const std::weak_ptr alive = alive_;
  while (!reads_.empty() && reads_.begin()->second.made <= Steady::now() - patience_) {
    auto read = reads_.extract(reads_.begin());
    read.mapped().done(fail(
        "unavailable", "Redis is not available: " + (link_.ready() ? "it is too slow" : link_.problem())));
    if (alive.expired()) return;
  }
}

}  // namespace ganglion::redis
