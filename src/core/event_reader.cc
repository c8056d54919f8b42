#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

#include "base/json_text.h"
#include "core/event_codec.h"
#include "core/event_words.h"
#include "core/expr/value.h"

namespace ganglion {
namespace {

// Thrown by nobody: the first thing that doesn't fit is kept, reading goes on with empty values, the caller
// asks at the end.
class EntryReader {
 public:
  EntryReader(const JournalEntry& entry, const WorkflowDefinition* workflow)
      : entry_(entry), workflow_(workflow) {
    JsonMembers members(entry.data);
    while (auto member = members.next()) members_.emplace(member->name, member->value);
    if (!members.intact()) complain("its data is not a JSON object");
  }

  StepIndex step() {
    const auto found = optional_step();
    if (!found) complain("it names no step");
    return found.value_or(StepIndex(0));
  }

  std::optional<StepIndex> optional_step() {
    if (!entry_.step || workflow_ == nullptr) return std::nullopt;
    const auto found = workflow_->positions.find(*entry_.step);
    if (found != workflow_->positions.end()) return found->second;
    complain("its workflow has no step \"" + *entry_.step + "\"");
    return std::nullopt;
  }

  ItemIndex item() { return ItemIndex(entry_.item.value_or(0)); }

  std::optional<Attempt> optional_attempt() {
    return entry_.attempt ? std::optional(Attempt(*entry_.attempt)) : std::nullopt;
  }

  Attempt attempt() {
    if (!entry_.attempt) complain("it names no attempt");
    return Attempt(entry_.attempt.value_or(0));
  }

  std::string text(std::string_view name) {
    const auto raw = required(name);
    return raw.empty() ? std::string() : string_of(raw);
  }

  std::optional<std::string> optional_text(std::string_view name) {
    const auto member = members_.find(name);
    if (member == members_.end()) return std::nullopt;
    return string_of(member->second);
  }

  Payload payload(std::string_view name) { return Payload(std::string(required(name))); }

  std::optional<Payload> optional_payload(std::string_view name) {
    const auto member = members_.find(name);
    if (member == members_.end()) return std::nullopt;
    return Payload(std::string(member->second));
  }

  template <typename Integer>
  Integer integer(std::string_view name, Integer otherwise) {
    const auto member = members_.find(name);
    if (member == members_.end()) return otherwise;
    Integer value{};
    const std::string_view text = member->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) complain("a member is not an integer");
    return value;
  }

  template <typename Integer>
  std::optional<Integer> optional_integer(std::string_view name) {
    if (!members_.contains(name)) return std::nullopt;
    return integer<Integer>(name, {});
  }

  bool flag(std::string_view name) {
    const auto member = members_.find(name);
    return member != members_.end() && member->second == "true";
  }

  // The position of a word in a list.
  template <typename Enum, std::size_t N>
  Enum word(std::string_view name, const std::array<std::string_view, N>& words, Enum otherwise) {
    const auto written = optional_text(name);
    if (!written) return otherwise;
    const auto found = std::ranges::find(words, *written);
    if (found == words.end()) complain("\"" + *written + "\" is unknown to this version");
    return found == words.end() ? otherwise : static_cast<Enum>(found - words.begin());
  }

  std::vector<std::string> strings(std::string_view name) {
    std::vector<std::string> strings;
    const expr::Value list = expr::Value::json(payload(name));
    if (!list.is(expr::Kind::list)) complain("a member is not a list");
    for (std::size_t i = 0; list.is(expr::Kind::list) && i < list.size(); ++i) {
      if (list.at(i).is(expr::Kind::string)) strings.push_back(list.at(i).as_string());
    }
    return strings;
  }

  std::optional<Budget> optional_budget(std::string_view name) {
    const auto member = members_.find(name);
    if (member == members_.end()) return std::nullopt;
    Budget budget;
    JsonMembers members(member->second);
    while (auto amount = members.next()) {
      double number = 0;
      std::from_chars(amount->value.data(), amount->value.data() + amount->value.size(), number);
      if (amount->name == "tokens") budget.tokens = number;
      if (amount->name == "usd") budget.usd = number;
    }
    return budget;
  }

  std::optional<AttemptToken> optional_token(std::string_view name) {
    const auto written = optional_text(name);
    if (!written) return std::nullopt;
    auto token = AttemptToken::parse(*written);
    if (!token) complain("\"" + *written + "\" is no token");
    return token;
  }

  std::optional<EventCause> optional_cause() {
    const auto member = members_.find("cause");
    if (member == members_.end()) return std::nullopt;
    EventCause cause;
    JsonMembers members(member->second);
    while (auto part = members.next()) {
      const char* const begin = part->value.data();
      if (part->name == "event") std::from_chars(begin, begin + part->value.size(), cause.seq);
      if (part->name == "hops") std::from_chars(begin, begin + part->value.size(), cause.hops);
    }
    return cause;
  }

  RunId run(std::string_view name) {
    const auto id = RunId::parse(text(name));
    if (!id) complain("it names no run");
    return id.value_or(RunId());
  }

  std::optional<Duration> optional_milliseconds(std::string_view name) {
    const auto count = optional_integer<std::int64_t>(name);
    return count ? std::optional(Duration(*count)) : std::nullopt;
  }

  Wait wait() {
    const std::string kind = text("for");
    if (kind == "timer") return UntilTime{time("until")};
    if (kind == "person")
      return ForPerson{strings("by"), payload("show"), text("digest"), optional_text("agent").value_or("")};
    if (kind == "event") return ForEvent{text("event"), integer<std::uint64_t>("since", 0)};
    complain("it waits for something unknown to this version");
    return UntilTime{};
  }

  std::map<std::string, std::string> optional_strings(std::string_view name) {
    std::map<std::string, std::string> strings;
    const auto member = members_.find(name);
    if (member == members_.end()) return strings;
    JsonMembers members(member->second);
    while (auto entry = members.next()) {
      strings.emplace(string_of("\"" + std::string(entry->name) + "\""), string_of(entry->value));
    }
    return strings;
  }

  Timestamp time(std::string_view name) { return time_of(text(name)); }

  std::optional<Timestamp> optional_time(std::string_view name) {
    const auto written = optional_text(name);
    if (!written) return std::nullopt;
    return time_of(*written);
  }

  Error error() { return error_of(required("error")); }

  std::optional<Error> optional_error() {
    const auto member = members_.find("error");
    if (member == members_.end()) return std::nullopt;
    return error_of(member->second);
  }

  const std::string& complaint() const { return complaint_; }

 private:
  void complain(std::string what) {
    if (complaint_.empty()) complaint_ = std::move(what);
  }

  std::string_view required(std::string_view name) {
    const auto member = members_.find(name);
    if (member != members_.end()) return member->second;
    complain("its data has no \"" + std::string(name) + "\"");
    return {};
  }

  std::string string_of(std::string_view json) {
    auto text = read_json_string(json);
    if (!text) complain("a member is not a string");
    return std::move(text).value_or(std::string());
  }

  Timestamp time_of(const std::string& text) {
    const auto time = parse_rfc3339(text);
    if (!time) complain(time.error().message);
    return time.value_or(Timestamp());
  }

  Error error_of(std::string_view json) {
    Error error;
    JsonMembers members(json);
    while (auto member = members.next()) {
      if (member->name == "code") error.code = string_of(member->value);
      if (member->name == "message") error.message = string_of(member->value);
    }
    if (!members.intact() || error.code.empty()) complain("its error is malformed");
    return error;
  }

  const JournalEntry& entry_;
  const WorkflowDefinition* workflow_;
  std::map<std::string_view, std::string_view> members_;
  std::string complaint_;
};

Rare<RunOrigin> read_origin(EntryReader& in) {
  RunOrigin origin{.parent = in.optional_token("parent"),
                   .parent_step = in.optional_text("parent_step").value_or(""),
                   .parent_mapped = in.flag("parent_mapped"),
                   .depth = in.integer<std::uint32_t>("depth", 0),
                   .cause = in.optional_cause(),
                   .budget = in.optional_budget("budget")};
  if (!origin.parent && !origin.cause && !origin.budget && origin.depth == 0) return {};
  return Rare(std::move(origin));
}

RunCreated read_created(EntryReader& in) {
  return {.workflow = in.text("workflow"),
          .definition = in.text("definition"),
          .input = in.payload("input"),
          .session_id = in.optional_text("session_id"),
          .priority = in.integer<std::int32_t>("priority", 0),
          .labels = in.optional_strings("labels"),
          .traceparent = in.optional_text("traceparent").value_or(""),
          .origin = read_origin(in)};
}

TaskSucceeded read_succeeded(EntryReader& in) {
  return {.step = in.step(),
          .item = in.item(),
          .attempt = in.attempt(),
          .output = in.payload("output"),
          .usage = in.optional_payload("usage"),
          .worker = in.text("worker"),
          .started_at = in.time("started_at"),
          .again = in.flag("again"),
          .queued_at = in.optional_time("queued_at"),
          .work = in.optional_milliseconds("work_ms")};
}

TaskFailed read_failed(EntryReader& in) {
  return {.step = in.step(),
          .item = in.item(),
          .attempt = in.attempt(),
          .error = in.error(),
          .retry_at = in.optional_time("retry_at"),
          .worker = in.text("worker"),
          .started_at = in.time("started_at"),
          .fall_back = in.flag("fall_back"),
          .usage = in.optional_payload("usage"),
          .queued_at = in.optional_time("queued_at"),
          .work = in.optional_milliseconds("work_ms")};
}

TaskScheduled read_scheduled(EntryReader& in) {
  return {.step = in.step(),
          .item = in.item(),
          .attempt = in.attempt(),
          .agent = in.text("agent"),
          .input = in.optional_payload("input"),
          .role = in.word("role", kRoles, TaskRole::work),
          .link = in.integer<std::uint32_t>("link", 0),
          .iteration = in.integer<std::uint32_t>("iteration", 1),
          .reserved = in.optional_budget("reserved"),
          .state_version = in.optional_integer<std::uint64_t>("state_version"),
          .cache_key = in.optional_text("cache_key").value_or(""),
          .router = in.optional_text("router").value_or("")};
}

TaskRouted read_routed(EntryReader& in) {
  return {.step = in.step(),
          .item = in.item(),
          .attempt = in.optional_attempt().value_or(Attempt(0)),
          .router = in.text("router"),
          .to = in.text("to"),
          .by = in.word("by", kRoutedBy, RoutedBy::otherwise),
          .reason = in.text("reason"),
          .input = in.optional_payload("input"),
          .usage = in.optional_payload("usage")};
}

ApprovalDecided read_decided(EntryReader& in) {
  return {.step = in.step(),
          .item = in.item(),
          .attempt = in.attempt(),
          .approved = in.text("decision") == "approve",
          .by = in.text("by"),
          .comment = in.text("comment"),
          .digest = in.text("digest")};
}

EventPublished read_published(EntryReader& in) {
  return {.step = in.step(),
          .item = in.item(),
          .id = in.text("id"),
          .topic = in.text("topic"),
          .version = in.integer<std::uint32_t>("version", 0),
          .data = in.payload("data")};
}

StateChanged read_state_changed(EntryReader& in) {
  return {.step = in.step(),
          .item = in.item(),
          .write = {.key = in.text("key"),
                    .value = in.optional_payload("value"),
                    .expires_at = in.optional_time("expires_at")}};
}

// As the first version wrote it.
TaskWaiting read_step_sleeping(EntryReader& in) {
  return {in.step(), ItemIndex(0), Attempt(1), UntilTime{in.time("until")}};
}

std::optional<Event> read(std::string_view type, EntryReader& in) {
  if (type == "task_scheduled") return read_scheduled(in);
  if (type == "task_succeeded") return read_succeeded(in);
  if (type == "task_failed") return read_failed(in);
  if (type == "run_created") return read_created(in);
  if (type == "run_completed") return RunCompleted{in.payload("output")};
  if (type == "step_started") return StepStarted{in.step(), in.payload("items")};
  if (type == "step_completed")
    return StepCompleted{in.step(), in.optional_payload("output"), in.optional_error()};
  if (type == "step_sleeping") return read_step_sleeping(in);
  if (type == "step_failed") return StepFailed{in.step(), in.error()};
  if (type == "step_skipped") return StepSkipped{in.step()};
  if (type == "task_waiting") {
    return TaskWaiting{in.step(),
                       in.item(),
                       in.attempt(),
                       in.wait(),
                       in.integer<std::uint32_t>("link", 0),
                       in.integer<std::uint32_t>("iteration", 1)};
  }
  if (type == "task_routed") return read_routed(in);
  if (type == "approval_decided") return read_decided(in);
  if (type == "signal_received") return SignalReceived{in.text("id"), in.text("name"), in.payload("data")};
  if (type == "event_delivered") {
    return EventDelivered{in.step(), in.item(), in.attempt(), in.text("id"),
                          in.optional_integer<std::uint64_t>("event")};
  }
  if (type == "event_published") return read_published(in);
  if (type == "state_changed") return read_state_changed(in);
  if (type == "run_forked") {
    return RunForked{in.run("from"), in.integer<std::uint64_t>("seq", 0), in.text("from_step"),
                     in.optional_payload("input")};
  }
  if (type == "run_paused") return RunPaused{in.optional_step(), in.flag("by_parent")};
  if (type == "run_resumed") return RunResumed{};
  if (type == "run_retried") return RunRetried{};
  if (type == "run_failed") return RunFailed{in.error(), in.optional_step()};
  if (type == "run_cancelled") return RunCancelled{in.text("reason")};
  return std::nullopt;
}

Result<Event> read_entry(const JournalEntry& entry, const WorkflowDefinition* workflow) {
  EntryReader in(entry, workflow);
  auto event = read(entry.type, in);
  const auto corrupt = [&](const std::string& why) {
    return fail("corrupt_journal",
                "journal entry " + std::to_string(entry.seq) + " (" + entry.type + "): " + why);
  };
  if (!event) return corrupt("its type is unknown to this version");
  if (!in.complaint().empty()) return corrupt(in.complaint());
  return *std::move(event);
}

}  // namespace

Result<Event> decode(const JournalEntry& entry, const WorkflowDefinition& workflow) {
  return read_entry(entry, &workflow);
}

Result<RunCreated> decode_created(const JournalEntry& entry) {
  auto event = read_entry(entry, nullptr);
  if (!event) return std::unexpected(event.error());
  auto* created = std::get_if<RunCreated>(&*event);
  if (created == nullptr)
    return fail("corrupt_journal", "a journal begins with run_created, not " + entry.type);
  return std::move(*created);
}

}  // namespace ganglion
