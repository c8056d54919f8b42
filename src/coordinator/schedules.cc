#include "coordinator/schedules.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <map>
#include <utility>

#include "base/json_text.h"
#include "base/sha256.h"
#include "core/expr/value.h"

namespace ganglion {
namespace {

constexpr Duration kTryAgain{1'000};  // after a store that was unavailable or an engine that was full

// What the input of a trigger sees.
class SlotScope final : public expr::Scope {
 public:
  explicit SlotScope(Timestamp slot) : slot_(slot) {}

  std::optional<expr::Value> find(std::string_view name) const override {
    if (name != "event") return std::nullopt;
    JsonObject event;
    event.add("type", "cron").add("time", format_rfc3339(slot_));
    return expr::Value::json(Payload(event.finish()));
  }

 private:
  Timestamp slot_;
};

}  // namespace

struct Schedules::Entry {
  std::string key;
  std::shared_ptr<const Project> project;  // that the trigger is one of
  const Trigger* trigger;
  const CronTrigger* when;
  Cron cron;
  TimeZone zone;
  Timestamp last;  // slot that was dealt with
  std::optional<TimerId> timer;
  bool in_use = true;
};

Schedules::Schedules(Store& store, Clock& clock, Coordinator& coordinator, Definitions& definitions,
                     std::function<void(const std::string&, const Error&)> on_problem)
    : store_(store),
      clock_(clock),
      coordinator_(coordinator),
      definitions_(definitions),
      on_problem_(std::move(on_problem)) {}

Schedules::~Schedules() {
  for (const auto& entry : entries_) {
    entry->in_use = false;
    if (entry->timer) clock_.cancel(*entry->timer);
  }
}

void Schedules::start() {
  definitions_.on_activated([this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) take_triggers();
  });
  take_triggers();
}

void Schedules::take_triggers() {
  for (const auto& entry : entries_) {
    entry->in_use = false;
    if (entry->timer) clock_.cancel(*entry->timer);
  }
  entries_.clear();
  const auto project = definitions_.active();
  if (!project) return;
  std::map<std::string, int> alike;
  for (const Trigger& trigger : project->triggers) {
    const auto* when = std::get_if<CronTrigger>(&trigger.source);
    if (when == nullptr) continue;
    auto cron = Cron::parse(when->cron);
    auto zone = TimeZone::find(when->timezone);
    if (!cron || !zone) {
      // Read on another machine, perhaps: this one knows no such zone.
      if (on_problem_) on_problem_(trigger.workflow, cron ? zone.error() : cron.error());
      continue;
    }
    std::string name = when->cron + "\n" + when->timezone + "\n" + trigger.workflow;
    name += "\n" + std::to_string(alike[name]++);
    entries_.push_back(std::make_shared<Entry>(Entry{.key = "cron " + sha256_hex(name).substr(0, 32),
                                                     .project = project,
                                                     .trigger = &trigger,
                                                     .when = when,
                                                     .cron = *std::move(cron),
                                                     .zone = *zone,
                                                     .last = {},
                                                     .timer = {}}));
  }
  for (const auto& entry : entries_) take_up(entry);
}

void Schedules::later(const std::shared_ptr<Entry>& entry, std::move_only_function<void()> action) {
  entry->timer = clock_.at(clock_.now() + kTryAgain, [entry, action = std::move(action)]() mutable {
    entry->timer.reset();
    if (entry->in_use) action();
  });
}

void Schedules::take_up(const std::shared_ptr<Entry>& entry) {
  store_.get_setting(entry->key, [this, entry](Result<std::string> last) {
    if (!entry->in_use) return;
    if (!last && last.error().code != "not_found") {
      return later(entry, [this, entry] { take_up(entry); });
    }
    std::int64_t slot = 0;
    if (last) std::from_chars(last->data(), last->data() + last->size(), slot);
    begin(entry, last ? std::optional(Timestamp(slot)) : std::nullopt);
  });
}

void Schedules::begin(const std::shared_ptr<Entry>& entry, std::optional<Timestamp> last) {
  if (last) {
    entry->last = *last;
    skip_missed(*entry);
    return wait(entry);
  }
  // Known from now on: slots that come while no engine runs are missed ones.
  dealt_with(entry, clock_.now());
}

// Moves on over the slots that came while no engine ran and that the trigger doesn't want.
void Schedules::skip_missed(Entry& entry) const {
  const Timestamp now = clock_.now();
  const std::size_t wanted = entry.when->missed == MissedSlots::skip     ? 0
                             : entry.when->missed == MissedSlots::latest ? 1
                                                                         : kMaxMissed;
  std::deque<Timestamp> slots = {entry.last};
  for (auto slot = entry.cron.next(entry.last, entry.zone); slot && *slot <= now;
       slot = entry.cron.next(*slot, entry.zone)) {
    slots.push_back(*slot);
    if (slots.size() > wanted + 1) slots.pop_front();
  }
  entry.last = slots.front();
}

void Schedules::wait(const std::shared_ptr<Entry>& entry) {
  const auto slot = entry->cron.next(entry->last, entry->zone);
  if (!slot) return;
  entry->timer = clock_.at(std::max(*slot, clock_.now()), [this, entry, slot = *slot] {
    entry->timer.reset();
    if (entry->in_use) fire(entry, slot);
  });
}

void Schedules::fire(const std::shared_ptr<Entry>& entry, Timestamp slot) {
  const auto refused = [this, entry, slot](const Error& error) {
    if (on_problem_) on_problem_(entry->trigger->workflow, error);
    dealt_with(entry, slot);
  };
  auto input = entry->trigger->input.render(SlotScope(slot));
  if (!input) return refused(input.error());
  const auto workflow = entry->project->workflows.find(entry->trigger->workflow);
  if (workflow != entry->project->workflows.end() && workflow->second.input) {
    const auto violations = workflow->second.input->validate_json(input->bytes());
    if (violations && !violations->empty()) {
      return refused({"invalid_input", "the input of " + entry->trigger->workflow + violations->front().path +
                                           ": " + violations->front().message});
    }
  }
  StartRequest request;
  request.workflow = entry->trigger->workflow;
  request.input = *std::move(input);
  request.claim =
      IdempotencyClaim{entry->key + " " + std::to_string(slot.milliseconds_since_epoch()), "cron"};
  coordinator_.start_run(std::move(request), [this, entry, slot, refused](Result<StartedRun> started) {
    if (!entry->in_use) return;
    if (started) return dealt_with(entry, slot);
    const std::string& code = started.error().code;
    if (code == "unavailable" || code == "overloaded" || code == "too_many_runs") {
      return later(entry, [this, entry, slot] { fire(entry, slot); });
    }
    refused(started.error());
  });
}

void Schedules::dealt_with(const std::shared_ptr<Entry>& entry, Timestamp slot) {
  entry->last = slot;
  store_.put_setting(entry->key, std::to_string(slot.milliseconds_since_epoch()),
                     [this, entry, slot](Result<void> written) {
                       if (!entry->in_use) return;
                       if (written) return wait(entry);
                       later(entry, [this, entry, slot] { dealt_with(entry, slot); });
                     });
}

}  // namespace ganglion
