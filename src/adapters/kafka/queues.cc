#include "adapters/kafka/queues.h"

#include <algorithm>
#include <utility>

#include "ports/bus_check.h"

namespace ganglion::kafka {
namespace {

constexpr std::chrono::seconds kShortenEvery{5};

}  // namespace

// What is said in the ledger may be said for nothing, where this process' session has ended; so it looks
// again until it is there.
void Queues::declare(const std::string& queue, QueueOptions options, Done<void> done) {
  go_on_declaring(queue, options, answer<void>(std::move(done)));
}

void Queues::go_on_declaring(const std::string& queue, const QueueOptions& options,
                             const Answer<void>& done) {
  if (!*done) return;
  session_.sync([this, alive = std::weak_ptr(alive_), queue, options, done] {
    if (alive.expired()) return;
    auto again = [this, queue, options, done] { go_on_declaring(queue, options, done); };
    if (session_.ledger().going(queue)) return clear_away(queue, done, std::move(again));
    const LedgerQueue* now = session_.ledger().queue(queue);
    if (now == nullptr) return make(queue, options, done);
    if (now->options == options) return (*done)({});
    session_.say(word::Declare{.queue = queue, .options = options});
    go_on_declaring(queue, options, done);
  });
}

void Queues::make(const std::string& queue, const QueueOptions& options, const Answer<void>& done) {
  auto measured = [this, queue, options, done](const Result<Ends>& ends) {
    if (!ends && ends.error().code == "unknown_topic") return go_on_declaring(queue, options, done);
    if (!ends) return (*done)(std::unexpected(ends.error()));
    session_.say(word::Declare{.queue = queue, .begin = ends->first, .options = options});
    errands_.create(
        {{.name = names_.handout(queue), .partitions = kHandoutPartitions, .settings = settings_that_keep()}},
        nullptr);
    go_on_declaring(queue, options, done);
  };
  auto made = [this, queue, measured = std::move(measured), done](const Result<void>& topics) mutable {
    if (!topics) return (*done)(topics);
    errands_.ends(names_.queue(queue), std::move(measured));
  };
  errands_.create({{.name = names_.queue(queue), .settings = settings_that_keep()},
                   {.name = names_.dead(queue), .settings = settings_that_keep()}},
                  std::move(made));
}

void Queues::remove(const std::string& queue, Done<void> done) {
  go_on_removing(queue, answer<void>(std::move(done)));
}

// First everybody is told, so that nobody reads topics that go; librdkafka doesn't bear that well.
void Queues::go_on_removing(const std::string& queue, const Answer<void>& done) {
  if (!*done) return;
  session_.sync([this, alive = std::weak_ptr(alive_), queue, done] {
    if (alive.expired()) return;
    auto again = [this, queue, done] { go_on_removing(queue, done); };
    if (session_.ledger().going(queue)) return clear_away(queue, done, std::move(again));
    const LedgerQueue* now = session_.ledger().queue(queue);
    if (now == nullptr) return (*done)({});
    session_.say(word::Remove{queue, now->made});
    again();
  });
}

void Queues::clear_away(const std::string& queue, const Answer<void>& done, std::function<void()> then) {
  auto removed = [this, queue, made = session_.ledger().going(queue)->made, done,
                  then = std::move(then)](const Result<void>& topics) {
    if (!topics) return (*done)(topics);
    session_.say(word::Remove{queue, made});
    then();
  };
  errands_.remove({names_.queue(queue), names_.dead(queue), names_.handout(queue)}, std::move(removed));
}

void Queues::depth(const std::string& queue, Done<std::uint64_t> done) {
  auto waits = answer<std::uint64_t>(std::move(done));
  session_.sync([this, alive = std::weak_ptr(alive_), queue, waits] {
    if (alive.expired()) return;
    if (session_.ledger().queue(queue) == nullptr) return (*waits)(unknown_queue(queue));
    errands_.ends(names_.queue(queue), [this, queue, waits](const Result<Ends>& ends) {
      const LedgerQueue* now = session_.ledger().queue(queue);
      if (now == nullptr) return (*waits)(unknown_queue(queue));
      if (!ends) return (*waits)(std::unexpected(ends.error()));
      const Offset first = std::max(now->next, ends->first);
      (*waits)(static_cast<std::uint64_t>(std::max<Offset>(ends->end - first, 0)));
    });
  });
}

void Queues::dead_letters(const std::string& queue, std::uint32_t limit, Done<std::vector<BusMessage>> done) {
  auto waits = answer<std::vector<BusMessage>>(std::move(done));
  session_.sync([this, alive = std::weak_ptr(alive_), queue, limit, waits] {
    if (alive.expired()) return;
    if (session_.ledger().queue(queue) == nullptr) return (*waits)(unknown_queue(queue));
    errands_.read(names_.dead(queue), limit, [waits](Result<std::vector<Record>> records) {
      if (!records) return (*waits)(std::unexpected(records.error()));
      std::vector<BusMessage> letters;
      for (Record& record : *records) letters.push_back(std::move(record.message));
      (*waits)(std::move(letters));
    });
  });
}

void Queues::tick() {
  if (!session_.is_live() || !session_.is_keeper() || Steady::now() - shortened_at_ < kShortenEvery) return;
  shortened_at_ = Steady::now();
  std::erase_if(shortened_,
                [this](const auto& one) { return session_.ledger().queue(one.first) == nullptr; });
  for (const auto& [name, queue] : session_.ledger().queues()) {
    if (queue.going) continue;
    const Offset first = queue.first_undone();
    Shortened& before = shortened_.try_emplace(name).first->second;
    if (before.made == queue.made && before.first >= first) continue;
    before = {.made = queue.made, .first = first};
    if (first > 0) errands_.shorten(names_.queue(name), {first});
  }
}

}  // namespace ganglion::kafka
