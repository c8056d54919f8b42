#include "core/tax.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "base/json_text.h"
#include "base/overloaded.h"
#include "core/context_bytes.h"
#include "core/event_codec.h"
#include "core/usage.h"

namespace ganglion {
namespace {

using Place = std::pair<StepIndex, ItemIndex>;

// One attempt, or one wait, as the journal tells it.
struct Span {
  StepIndex step;
  ItemIndex item;
  Attempt attempt;
  TaskRole role = TaskRole::work;
  bool waits = false;
  std::uint64_t scheduled_seq = 0;
  Timestamp scheduled_at = {};
  std::optional<Timestamp> queued_at = {};
  std::optional<Timestamp> started_at = {};
  std::optional<Timestamp> ended_at = {};
  std::uint64_t ended_seq = 0;
  std::optional<Timestamp> retry_at = {};
  std::optional<Duration> work = {};
  std::optional<std::size_t> before = {};  // of the same task
};

// Time as the run lived it: without pauses, and without the time between an end and a retry.
class RunClock {
 public:
  void begin(Timestamp at) { begin_ = at; }
  void stop(Timestamp at) {
    if (!stopped_) stopped_ = at;
  }
  void go_on(Timestamp at) {
    if (stopped_) gaps_.emplace_back(*stopped_, at);
    stopped_.reset();
  }

  Duration between(Timestamp from, Timestamp to) const {
    return std::max(read(to) - read(from), Duration::zero());
  }

 private:
  Duration read(Timestamp at) const {
    Duration lived = std::max(at - begin_, Duration::zero());
    for (const auto& [from, to] : gaps_) {
      if (at > from) lived -= std::max(std::min(at, to) - std::max(from, begin_), Duration::zero());
    }
    return lived;
  }

  Timestamp begin_ = {};
  std::optional<Timestamp> stopped_;
  std::vector<std::pair<Timestamp, Timestamp>> gaps_;
};

double tokens_of(const std::optional<Payload>& usage) {
  return usage ? as_budget(read_usage(*usage)).tokens.value_or(0) : 0;
}

class Reader {
 public:
  explicit Reader(const WorkflowDefinition& workflow) : workflow_(workflow) {}

  void read(const JournalEntry& entry, const Event& event) {
    at_ = std::max(at_, entry.at);  // a clock that was set back takes no time away
    seq_ = entry.seq;
    std::visit([this](const auto& e) { on(e); }, event);
  }

  Tax result() {
    tax_.wall = clock_.between(begin_, at_);
    tax_.context_bytes = context_.bytes();
    tax_.repeated_context_bytes = context_.repeated();
    follow_path();
    Duration explained = tax_.work + tax_.parts.admit + tax_.parts.queue + tax_.parts.dispatch +
                         tax_.parts.persist + tax_.parts.backoff;
    tax_.parts.decide = std::max(tax_.wall - explained, Duration::zero());
    return std::move(tax_);
  }

 private:
  // --- what the journal says ---

  void on(const RunCreated&) {
    begin_ = at_;
    clock_.begin(at_);
  }
  // What was shared is no part of this run's time, and nobody was told it again.
  void on(const RunForked&) {
    begin_ = at_;
    clock_ = RunClock();
    clock_.begin(at_);
    spans_.clear();
    latest_.clear();
    ContextMeter context;
    for (const auto& [place, input] : inputs_) context.known(input.bytes());
    inputs_.clear();
    context_ = std::move(context);
    tax_ = Tax();
  }
  void on(const StepStarted&) {}
  void on(const TaskScheduled& event) {
    Span& span = open(event.step, event.item, event.attempt);
    span.role = event.role;
    hand_out(event);
  }
  void on(const TaskWaiting& event) {
    Span& span = open(event.step, event.item, event.attempt);
    span.waits = true;
    span.started_at = at_;
  }
  void on(const TaskRouted& event) {
    if (event.input) inputs_.insert_or_assign({event.step, event.item}, *event.input);
    tax_.tokens += tokens_of(event.usage);
    if (event.attempt != Attempt(0)) close(event.step, event.item, event.attempt, nullptr);
  }
  void on(const ApprovalDecided&) {}
  void on(const SignalReceived&) {}
  void on(const EventDelivered&) {}
  void on(const EventPublished&) {}
  void on(const StateChanged&) {}
  void on(const TaskSucceeded& event) {
    tax_.tokens += tokens_of(event.usage);
    if (Span* span = close(event.step, event.item, event.attempt, &event.started_at)) {
      span->queued_at = event.queued_at;
      span->work = event.work;
    }
  }
  void on(const TaskFailed& event) {
    tax_.tokens += tokens_of(event.usage);
    if (Span* span = close(event.step, event.item, event.attempt, &event.started_at)) {
      span->queued_at = event.queued_at;
      span->work = event.work;
      span->retry_at = event.retry_at;
    }
  }
  void on(const StepCompleted&) {}
  void on(const StepFailed&) {}
  void on(const StepSkipped&) {}
  void on(const RunPaused&) { clock_.stop(at_); }
  void on(const RunResumed&) { clock_.go_on(at_); }
  void on(const RunRetried&) { clock_.go_on(at_); }
  void on(const RunCompleted&) { clock_.stop(at_); }
  void on(const RunFailed&) { clock_.stop(at_); }
  void on(const RunCancelled&) { clock_.stop(at_); }

  Span& open(StepIndex step, ItemIndex item, Attempt attempt) {
    Span span;
    span.step = step;
    span.item = item;
    span.attempt = attempt;
    span.scheduled_seq = seq_;
    span.scheduled_at = at_;
    if (const auto before = latest_.find({step, item}); before != latest_.end()) span.before = before->second;
    latest_.insert_or_assign({step, item}, spans_.size());
    spans_.push_back(span);
    return spans_.back();
  }

  Span* close(StepIndex step, ItemIndex item, Attempt attempt, const Timestamp* started_at) {
    const auto found = latest_.find({step, item});
    if (found == latest_.end() || spans_[found->second].attempt != attempt) return nullptr;
    Span& span = spans_[found->second];
    if (started_at != nullptr) span.started_at = *started_at;
    span.ended_at = at_;
    span.ended_seq = seq_;
    return &span;
  }

  void hand_out(const TaskScheduled& event) {
    const Place place{event.step, event.item};
    if (event.input) {
      inputs_.insert_or_assign(place, *event.input);
      handed_out_.erase(place);
    }
    if (event.role != TaskRole::work && event.role != TaskRole::classify) return;
    tax_.messages += 2;
    const auto input = inputs_.find(place);
    if (input == inputs_.end()) return;
    if (handed_out_.insert(place).second) {
      context_.first(input->second.bytes());
    } else {
      context_.again(input->second.bytes());
    }
  }

  // --- the critical path ---

  // Steps that this one waits for, directly or not, and itself.
  const std::set<StepIndex>& sources_of(StepIndex step) {
    if (const auto known = sources_.find(step); known != sources_.end()) return known->second;
    std::set<StepIndex> sources;
    std::vector<StepIndex> open{step};
    while (!open.empty()) {
      const StepIndex next = open.back();
      open.pop_back();
      if (!sources.insert(next).second) continue;
      for (const StepIndex need : workflow_.steps[next.value()].needs) open.push_back(need);
    }
    return sources_.emplace(step, std::move(sources)).first->second;
  }

  // Because of which it was scheduled; nothing: because the run began.
  std::optional<std::size_t> cause_of(const Span& span) {
    if (span.before && spans_[*span.before].ended_at) return span.before;
    const std::set<StepIndex>& sources = sources_of(span.step);
    auto later = std::ranges::lower_bound(ended_, span.scheduled_seq, {},
                                          [this](std::size_t index) { return spans_[index].ended_seq; });
    while (later != ended_.begin()) {
      --later;
      if (sources.contains(spans_[*later].step)) return *later;
    }
    return std::nullopt;
  }

  // What the end, as far as there is one, waited for.
  std::optional<std::size_t> last() const {
    std::optional<std::size_t> found;
    if (!ended_.empty()) found = ended_.back();
    if (found && clock_.between(*spans_[*found].ended_at, at_) == Duration::zero()) return found;
    // Nothing ended then: what was under way was cut off.
    for (std::size_t i = spans_.size(); i-- > 0;) {
      if (!spans_[i].ended_at) return i;
    }
    return found;
  }

  void follow_path() {
    for (std::size_t i = 0; i < spans_.size(); ++i) {
      if (spans_[i].ended_at) ended_.push_back(i);
    }
    std::ranges::sort(ended_, {}, [this](std::size_t index) { return spans_[index].ended_seq; });
    for (std::optional<std::size_t> index = last(); index;) {
      const std::optional<std::size_t> cause = cause_of(spans_[*index]);
      count(spans_[*index], cause ? &spans_[*cause] : nullptr);
      index = cause;
    }
    std::ranges::reverse(tax_.critical_path);
  }

  void count(const Span& span, const Span* cause) {
    const Timestamp end = span.ended_at.value_or(at_);
    const Timestamp scheduled = std::min(span.scheduled_at, end);
    const Timestamp started = std::clamp(span.started_at.value_or(scheduled), scheduled, end);
    const Timestamp queued = std::clamp(span.queued_at.value_or(scheduled), scheduled, started);
    if (cause == nullptr) {
      tax_.parts.admit += clock_.between(begin_, scheduled);
    } else if (cause->retry_at) {
      tax_.parts.backoff += clock_.between(*cause->ended_at, std::min(*cause->retry_at, scheduled));
    }
    tax_.parts.persist += clock_.between(scheduled, queued);
    tax_.parts.queue += clock_.between(queued, started);
    const Duration under_way = clock_.between(started, end);
    const bool engine = span.role == TaskRole::cache || span.role == TaskRole::recall;
    const Duration work = engine ? Duration::zero() : std::min(span.work.value_or(under_way), under_way);
    if (!engine) tax_.parts.dispatch += under_way - work;
    tax_.work += work;
    const StepDefinition& step = workflow_.steps[span.step.value()];
    PathEntry entry;
    entry.step = step.name;
    entry.attempt = span.attempt.value();
    if (step.for_each) entry.item = span.item.value();
    entry.started_at = started;
    entry.ended_at = end;
    entry.work = work;
    tax_.critical_path.push_back(std::move(entry));
  }

  const WorkflowDefinition& workflow_;
  Timestamp at_ = {};  // of the entry that is being read; at the end, of the last
  std::uint64_t seq_ = 0;
  Timestamp begin_ = {};
  RunClock clock_;
  std::vector<Span> spans_;
  std::map<Place, std::size_t> latest_;
  std::map<Place, Payload> inputs_;
  std::set<Place> handed_out_;  // whose present input an agent has had
  ContextMeter context_;
  std::vector<std::size_t> ended_;  // spans, by their ends
  std::map<StepIndex, std::set<StepIndex>> sources_;
  Tax tax_;
};

}  // namespace

Result<Tax> tax_of(std::span<const JournalEntry> journal, const WorkflowDefinition& workflow) {
  Reader reader(workflow);
  for (const JournalEntry& entry : journal) {
    const auto event = decode(entry, workflow);
    if (!event) return std::unexpected(event.error());
    reader.read(entry, *event);
  }
  return reader.result();
}

std::string tax_json(const Tax& tax) {
  const auto milliseconds = [](Duration duration) { return std::int64_t{duration.count()}; };
  const Duration tax_time = tax.wall - tax.work;
  JsonObject parts;
  parts.add("admit", milliseconds(tax.parts.admit)).add("queue", milliseconds(tax.parts.queue));
  parts.add("dispatch", milliseconds(tax.parts.dispatch)).add("persist", milliseconds(tax.parts.persist));
  parts.add("decide", milliseconds(tax.parts.decide)).add("backoff", milliseconds(tax.parts.backoff));
  std::string path = "[";
  for (const PathEntry& entry : tax.critical_path) {
    JsonObject object;
    object.add("step", entry.step);
    if (entry.item) object.add("item", std::int64_t{*entry.item});
    object.add("attempt", std::int64_t{entry.attempt}).add("started_at", format_rfc3339(entry.started_at));
    object.add("ended_at", format_rfc3339(entry.ended_at)).add("work_ms", milliseconds(entry.work));
    if (path.size() > 1) path += ',';
    path += object.finish();
  }
  JsonObject object;
  object.add("wall_ms", milliseconds(tax.wall)).add("work_ms", milliseconds(tax.work));
  object.add("tax_ms", milliseconds(tax_time));
  const double wall = static_cast<double>(tax.wall.count());
  object.add_number("tax_ratio", wall > 0 ? static_cast<double>(tax_time.count()) / wall : 0);
  object.add_raw("parts", parts.finish()).add("messages", static_cast<std::int64_t>(tax.messages));
  object.add("context_bytes", static_cast<std::int64_t>(tax.context_bytes));
  object.add("repeated_context_bytes", static_cast<std::int64_t>(tax.repeated_context_bytes));
  object.add_number("tokens", tax.tokens).add_raw("critical_path", path + "]");
  return object.finish();
}

}  // namespace ganglion
