#include "adapters/nats/exhausted.h"

#include <utility>

#include "adapters/nats/headers.h"
#include "adapters/nats/json.h"

namespace ganglion::nats {
namespace {

// One of those who listen is enough; it may die of it, so that all look now and then.
constexpr std::string_view kGroup = "ganglion";
constexpr std::chrono::seconds kSweep{30};

constexpr const char* kTooOften = "it has been delivered too often";

}  // namespace

void Exhausted::watch(const std::string& queue) {
  const auto [watch, is_new] = watches_.try_emplace(queue);
  if (is_new && link_.ready()) listen(queue, watch->second);
}

void Exhausted::forget(const std::string& queue) {
  const auto watch = watches_.extract(queue);
  if (!watch.empty() && link_.ready()) link_.connection().unsubscribe(watch.mapped().listening);
}

void Exhausted::ready() {
  for (auto& [queue, watch] : watches_) listen(queue, watch);
}

void Exhausted::tick() {
  if (!link_.ready()) return;
  const auto now = Steady::now();
  for (const auto& [queue, watch] : watches_) {
    if (now - watch.swept > kSweep) sweep(queue);
  }
}

void Exhausted::listen(const std::string& queue, Watch& watch) {
  watch.listening = link_.connection().subscribe(
      names_.exhausted_subject(queue), [this, queue](const Incoming&) { sweep(queue); }, kGroup);
  sweep(queue);
}

// One at a time, from the oldest on.
void Exhausted::sweep(const std::string& queue) {
  const auto watch = watches_.find(queue);
  if (watch == watches_.end()) return;
  watch->second.swept = Steady::now();
  watch->second.again = true;
  if (std::exchange(watch->second.sweeping, true)) return;
  watch->second.again = false;
  requests_.ask({.subject = "$JS.API.DIRECT.GET." + names_.dead_stream(queue),
                 .body = JsonObject()
                             .add("seq", std::int64_t{1})
                             .add("next_by_subj", names_.exhausted_subject(queue))
                             .finish()},
                Steady::now() + patience_,
                [this, queue](const Result<Answer>& notice) { found(queue, notice); });
}

void Exhausted::found(const std::string& queue, const Result<Answer>& notice) {
  if (!notice || status_of(notice->headers) != 0) return swept(queue);
  const std::uint64_t sequence = number_member(notice->body, "stream_seq");
  const auto number = parse_number<std::uint64_t>(header(notice->headers, "Nats-Sequence"));
  queues_.copy_to_dead_letters(queue, sequence, kTooOften,
                               [this, queue, sequence, number = number.value_or(0)](Queues::Copied copied) {
                                 if (copied == Queues::Copied::failed) return swept(queue);
                                 clear_up(queue, sequence, number);
                               });
}

void Exhausted::clear_up(const std::string& queue, std::uint64_t sequence, std::uint64_t notice) {
  erase(names_.queue_stream(queue), sequence, [this, queue, notice](bool erased) {
    if (!erased) return swept(queue);
    erase(names_.dead_stream(queue), notice, [this, queue](bool forgotten) {
      if (const auto watch = watches_.find(queue); forgotten && watch != watches_.end())
        watch->second.again = true;
      swept(queue);
    });
  });
}

void Exhausted::swept(const std::string& queue) {
  const auto watch = watches_.find(queue);
  if (watch == watches_.end()) return;
  watch->second.sweeping = false;
  if (watch->second.again) sweep(queue);
}

void Exhausted::erase(const std::string& stream, std::uint64_t sequence,
                      std::move_only_function<void(bool)> done) {
  requests_.ask(
      {.subject = "$JS.API.STREAM.MSG.DELETE." + stream,
       .body = JsonObject().add("seq", static_cast<std::int64_t>(sequence)).add("no_erase", true).finish()},
      Steady::now() + patience_, [done = std::move(done)](const Result<Answer>& answer) mutable {
        const auto error = answer ? api_error(answer->body) : std::optional(ApiError());
        done(!error || error->number == kMessageNotFound);
      });
}

}  // namespace ganglion::nats
