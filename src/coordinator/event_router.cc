#include "coordinator/event_router.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "base/json_text.h"
#include "base/sha256.h"
#include "coordinator/definitions.h"
#include "coordinator/event_log.h"
#include "core/run_scope.h"
#include "core/topic.h"

namespace ganglion {
namespace {

constexpr const char* kPosition = "event_position";
constexpr std::size_t kDeliveriesPerTurn = 200;
constexpr std::uint32_t kPage = 100;  // events set off at once
constexpr Duration kTryAgain{100};    // after a store that was unavailable or an engine that was full

// What `where` and `input` of a trigger see.
class EventScope final : public expr::Scope {
 public:
  explicit EventScope(const TopicEvent& event) : event_(expr::Value::json(event_payload(event))) {}

  std::optional<expr::Value> find(std::string_view name) const override {
    if (name == "event") return event_;
    return std::nullopt;
  }

 private:
  expr::Value event_;
};

bool fires(const EventTrigger& trigger, const TopicEvent& event, const EventScope& scope) {
  if (!topic_matches(trigger.on, event.topic)) return false;
  if (!trigger.where) return true;
  const auto wanted = trigger.where->evaluate(scope);
  return wanted && wanted->is(expr::Kind::boolean) && wanted->as_boolean();
}

// No client can make this key: it holds a space.
std::string key_of(const TopicEvent& event, const std::string& what) {
  return "event " + std::to_string(event.seq) + " " + sha256_hex(what).substr(0, 32);
}

}  // namespace

// Events that are set off together, and how many of their effects are not durable yet.
struct EventRouter::Page {
  std::vector<TopicEvent> events;
  std::size_t next = 0;                    // of the events
  std::optional<std::vector<RunId>> runs;  // that wait for it, once they were listed
  std::size_t next_run = 0;
  std::uint64_t last = 0;
  std::size_t open = 1;
  EventRouter* router = nullptr;

  void done() {
    if (--open == 0) router->page_done(*this);
  }
};

EventRouter::EventRouter(Store& store, Clock& clock, EventLog& log, Coordinator& coordinator,
                         Definitions& definitions,
                         std::function<void(const TopicEvent&, const Error&)> on_problem)
    : store_(store),
      clock_(clock),
      log_(log),
      coordinator_(coordinator),
      definitions_(definitions),
      on_problem_(std::move(on_problem)) {}

EventRouter::~EventRouter() {
  if (started_) log_.unfollow(EventFollowerId(follower_));
  coordinator_.event_waits().on_begun({});
}

void EventRouter::start(Completion<Result<void>> done) {
  store_.get_setting(kPosition, [this, done = std::move(done)](Result<std::string> position) mutable {
    if (!position && position.error().code != "not_found") return done(std::unexpected(position.error()));
    if (position) std::from_chars(position->data(), position->data() + position->size(), position_);
    started_ = true;
    follower_ = log_.follow([this](const std::vector<TopicEvent>&) { read(); }).value();
    coordinator_.event_waits().on_begun(
        [this](const RunId& run, const std::string& pattern, std::uint64_t since) {
          begin_to_catch_up(run, pattern, since);
        });
    for (const auto& [run, waits] : coordinator_.event_waits().all()) {
      for (const auto& [pattern, since] : waits) begin_to_catch_up(run, pattern, since);
    }
    read();
    done({});
  });
}

void EventRouter::set_duty(bool on_duty) {
  if (on_duty == std::exchange(on_duty_, on_duty) || !on_duty || !started_) return;
  take_over();
}

// Runs that wait for events from before get them once more, which changes nothing.
void EventRouter::take_over() {
  if (busy_) return later([this] { take_over(); });
  busy_ = true;
  store_.get_setting(kPosition, [this, alive = std::weak_ptr(alive_)](Result<std::string> position) {
    if (alive.expired()) return;
    busy_ = false;
    if (!position && position.error().code != "not_found") return later([this] { take_over(); });
    std::uint64_t left_at = 0;
    if (position) std::from_chars(position->data(), position->data() + position->size(), left_at);
    position_ = std::min(position_, left_at);
    read();
  });
}

void EventRouter::later(std::move_only_function<void()> action) {
  clock_.at(clock_.now() + kTryAgain, [alive = std::weak_ptr(alive_), action = std::move(action)]() mutable {
    if (!alive.expired()) action();
  });
}

void EventRouter::read() {
  if (busy_ || position_ >= log_.last()) return;
  busy_ = true;
  auto have_read = [this, alive = std::weak_ptr(alive_)](Result<std::vector<TopicEvent>> events) {
    if (alive.expired()) return;
    if (!events) {
      return later([this] {
        busy_ = false;
        read();
      });
    }
    if (events->empty()) {
      busy_ = false;
      return;
    }
    set_off(*std::move(events));
  };
  store_.read_events({.pattern = "**", .before = std::nullopt, .after = position_, .limit = kPage},
                     std::move(have_read));
}

void EventRouter::set_off(std::vector<TopicEvent> events) {
  auto page = std::make_shared<Page>();
  page->last = events.back().seq;
  seen_ = std::max(seen_, page->last);
  page->router = this;
  page->events = std::move(events);
  go_on(page);
}

// Event by event, and no more at once than the loop's other work bears.
void EventRouter::go_on(const std::shared_ptr<Page>& page) {
  std::size_t left = kDeliveriesPerTurn;
  for (; page->next < page->events.size(); ++page->next) {
    const TopicEvent& event = page->events[page->next];
    if (!page->runs) {
      const auto waiting = coordinator_.event_waits().waiting_for(event.topic);
      page->runs.emplace(waiting.begin(), waiting.end());
      page->next_run = 0;
      start_runs(event, page);
    }
    for (; page->next_run < page->runs->size(); ++page->next_run) {
      if (left-- == 0) {
        return clock_.post([this, alive = std::weak_ptr(alive_), page] {
          if (!alive.expired()) go_on(page);
        });
      }
      const RunId& run = (*page->runs)[page->next_run];
      if (is_behind(run, event.topic)) continue;
      ++page->open;
      deliver(run, event, [page] { page->done(); });
    }
    page->runs.reset();
  }
  page->done();
}

void EventRouter::start_runs(const TopicEvent& event, const std::shared_ptr<Page>& page) {
  const auto project = definitions_.active();
  if (!project || !on_duty_) return;
  const EventScope scope(event);
  const EventCause cause{event.seq, event.hops};
  // A trigger stays the same one where a new project has others beside it.
  std::map<std::string, int> alike;
  for (const Trigger& trigger : project->triggers) {
    const auto* on = std::get_if<EventTrigger>(&trigger.source);
    if (on == nullptr) continue;
    const std::string name = "trigger " + on->on + "\n" + trigger.workflow;
    const std::string number = std::to_string(alike[name]++);
    if (!fires(*on, event, scope)) continue;
    const std::string key = key_of(event, name + "\n" + number);
    auto input = trigger.input.render(scope);
    if (!input) {
      bury(event, key, input.error(), page);
      continue;
    }
    StartRequest request;
    request.workflow = trigger.workflow;
    request.input = *std::move(input);
    request.cause = cause;
    start_run(event, key, std::move(request), page);
  }
  for (const auto& [name, agent] : project->agents) {
    if (!any_matches(agent.subscribes, event.topic)) continue;
    StartRequest request;
    request.workflow = reaction_name(name);
    request.input = event_payload(event);
    request.cause = cause;
    start_run(event, key_of(event, "agent " + name), std::move(request), page);
  }
}

void EventRouter::deliver(const RunId& run, const TopicEvent& event, std::move_only_function<void()> done) {
  coordinator_.submit(
      run, Deliver{event},
      [this, alive = std::weak_ptr(alive_), run, done = std::move(done)](Result<void> delivered) mutable {
        if (alive.expired()) return;
        if (!delivered && delivered.error().code == "unavailable") fall_behind(run);
        done();
      });
}

void EventRouter::start_run(const TopicEvent& event, const std::string& key, StartRequest request,
                            const std::shared_ptr<Page>& page) {
  const auto project = definitions_.active();
  const auto workflow = project->workflows.find(request.workflow);
  if (workflow != project->workflows.end() && workflow->second.input) {
    const auto violations = workflow->second.input->validate_json(request.input.bytes());
    if (violations && !violations->empty()) {
      const schema::Violation& first = violations->front();
      return bury(event, key,
                  {"invalid_input", "the input of " + request.workflow + first.path + ": " + first.message},
                  page);
    }
  }
  ++page->open;
  request.claim = IdempotencyClaim{key, "event"};
  const StartRequest again = request;
  coordinator_.start_run(std::move(request), [this, alive = std::weak_ptr(alive_), event, key, again,
                                              page](Result<StartedRun> started) {
    if (alive.expired()) return;
    const std::string code = started ? "" : started.error().code;
    // A tenant that is at its share must not keep events from the others: a person can requeue it.
    if (code == "unavailable" || code == "overloaded") {
      later([this, event, key, again, page] {
        start_run(event, key, again, page);
        page->done();
      });
      return;
    }
    if (!started && code != "idempotency_mismatch") bury(event, key, started.error(), page);
    page->done();
  });
}

// A person looks at it; the log goes on.
void EventRouter::bury(const TopicEvent& event, const std::string& key, const Error& error,
                       const std::shared_ptr<Page>& page) {
  if (on_problem_) on_problem_(event, error);
  ++page->open;
  store_.put_record(dead_event(event, key, error, clock_.now()),
                    [this, alive = std::weak_ptr(alive_), event, key, error, page](Result<void> put) {
                      if (alive.expired()) return;
                      if (put) return page->done();
                      later([this, event, key, error, page] {
                        bury(event, key, error, page);
                        page->done();
                      });
                    });
}

void EventRouter::page_done(const Page& page) {
  position_ = page.last;
  if (!on_duty_) {
    busy_ = false;
    return clock_.post([this, alive = std::weak_ptr(alive_)] {
      if (!alive.expired()) read();
    });
  }
  auto written = [this, alive = std::weak_ptr(alive_)](Result<void>) {
    if (alive.expired()) return;
    busy_ = false;
    read();
  };
  store_.put_setting(kPosition, std::to_string(position_), std::move(written));
}

// --- runs that are behind
// ----------------------------------------------------------------------------------------------------------

bool EventRouter::is_behind(const RunId& run, const std::string& topic) const {
  if (behind_.contains(run)) return true;
  for (auto at = catching_up_.lower_bound({run, ""}); at != catching_up_.end() && at->first == run; ++at) {
    if (topic_matches(at->second, topic)) return true;
  }
  return false;
}

// Begins again from where the run waits, when what is under way for it has come back.
void EventRouter::fall_behind(const RunId& run) {
  if (!behind_.insert(run).second) return;
  later([this, run] {
    behind_.erase(run);
    const auto under_way = catching_up_.lower_bound({run, ""});
    if (under_way != catching_up_.end() && under_way->first == run) return fall_behind(run);
    for (const auto& [pattern, since] : coordinator_.event_waits().of(run))
      begin_to_catch_up(run, pattern, since);
  });
}

// What a run waits for may have come already, between its decision and now.
void EventRouter::begin_to_catch_up(const RunId& run, const std::string& pattern, std::uint64_t since) {
  if (behind_.contains(run) || since >= end_of_log()) return;
  // A reading that is under way comes past everything that this one would.
  if (catching_up_.emplace(run, pattern).second) catch_up(run, pattern, since);
}

void EventRouter::catch_up(const RunId& run, const std::string& pattern, std::uint64_t since) {
  const bool waits = coordinator_.event_waits().of(run).contains(pattern);
  if (!waits || behind_.contains(run) || since >= end_of_log()) return caught_up(run, pattern);
  auto have_read = [this, alive = std::weak_ptr(alive_), run, pattern, since,
                    upto = end_of_log()](Result<std::vector<TopicEvent>> events) {
    if (alive.expired()) return;
    if (!events) return later([this, run, pattern, since] { catch_up(run, pattern, since); });
    if (events->empty()) return catch_up(run, pattern, upto);
    auto open = std::make_shared<std::size_t>(events->size());
    for (const TopicEvent& event : *events) {
      deliver(run, event, [this, run, pattern, open, last = events->back().seq] {
        if (--*open == 0) catch_up(run, pattern, last);
      });
    }
  };
  store_.read_events({.pattern = pattern, .before = std::nullopt, .after = since, .limit = kPage},
                     std::move(have_read));
}

void EventRouter::caught_up(const RunId& run, const std::string& pattern) {
  catching_up_.erase({run, pattern});
}

// As far as anybody here knows.
std::uint64_t EventRouter::end_of_log() const {
  return std::max(log_.last(), seen_);
}

Record dead_event(const TopicEvent& event, const std::string& key, const Error& error, Timestamp now) {
  JsonObject data;
  data.add("kind", "event");
  data.add_raw("event", event_payload(event).bytes());
  if (event.version != 0) data.add("topicversion", std::int64_t{event.version});
  data.add_raw("error", JsonObject().add("code", error.code).add("message", error.message).finish());
  return {.kind = RecordKind::dead_letter,
          .id = "event-" + sha256_hex(key).substr(0, 26),
          .run = std::nullopt,
          .at = now,
          .data = data.finish()};
}

}  // namespace ganglion
