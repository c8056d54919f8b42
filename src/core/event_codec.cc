#include "core/event_codec.h"

#include <array>
#include <charconv>
#include <string>
#include <utility>

#include "base/json_text.h"
#include "base/overloaded.h"

namespace ganglion {
namespace {

// In the order of the alternatives of Event.
constexpr std::array<std::string_view, std::variant_size_v<Event>> kTypes = {
    "run_created",   "step_started",   "task_scheduled", "task_succeeded", "task_failed",
    "step_sleeping", "step_completed", "step_failed",    "step_skipped",   "run_paused",
    "run_resumed",   "run_retried",    "run_completed",  "run_failed",     "run_cancelled"};

// --- writing
// ------------------------------------------------------------------------------------------------------

// What an event says beside its type: the columns by position, the rest as an object.
struct Parts {
  std::optional<StepIndex> step;
  std::optional<ItemIndex> item;
  std::optional<Attempt> attempt;
  JsonObject data;
};

std::string error_json(const Error& error) {
  return JsonObject().add("code", error.code).add("message", error.message).finish();
}

std::string labels_json(const std::map<std::string, std::string>& labels) {
  JsonObject object;
  for (const auto& [name, value] : labels) object.add(name, value);
  return object.finish();
}

template <typename TaskEvent>
Parts task_parts(const TaskEvent& event) {
  return {.step = event.step, .item = event.item, .attempt = event.attempt, .data = {}};
}

Parts step_parts(StepIndex step) {
  return {.step = step, .item = {}, .attempt = {}, .data = {}};
}

Parts parts(const RunCreated& event) {
  Parts parts;
  parts.data.add("workflow", event.workflow).add("definition", event.definition);
  parts.data.add_raw("input", event.input.bytes());
  if (event.session_id) parts.data.add("session_id", *event.session_id);
  if (event.priority != 0) parts.data.add("priority", std::int64_t{event.priority});
  if (!event.labels.empty()) parts.data.add_raw("labels", labels_json(event.labels));
  if (!event.traceparent.empty()) parts.data.add("traceparent", event.traceparent);
  return parts;
}

Parts parts(const StepStarted& event) {
  Parts parts = step_parts(event.step);
  parts.data.add_raw("items", event.items.bytes());
  return parts;
}

Parts parts(const TaskScheduled& event) {
  Parts parts = task_parts(event);
  parts.data.add("agent", event.agent);
  if (event.input) parts.data.add_raw("input", event.input->bytes());
  return parts;
}

Parts parts(const TaskSucceeded& event) {
  Parts parts = task_parts(event);
  parts.data.add_raw("output", event.output.bytes());
  if (event.usage) parts.data.add_raw("usage", event.usage->bytes());
  parts.data.add("worker", event.worker).add("started_at", format_rfc3339(event.started_at));
  return parts;
}

Parts parts(const TaskFailed& event) {
  Parts parts = task_parts(event);
  parts.data.add_raw("error", error_json(event.error));
  if (event.retry_at) parts.data.add("retry_at", format_rfc3339(*event.retry_at));
  parts.data.add("worker", event.worker).add("started_at", format_rfc3339(event.started_at));
  return parts;
}

Parts parts(const StepSleeping& event) {
  Parts parts = step_parts(event.step);
  parts.data.add("until", format_rfc3339(event.until));
  return parts;
}

Parts parts(const StepCompleted& event) {
  Parts parts = step_parts(event.step);
  if (event.output) parts.data.add_raw("output", event.output->bytes());
  if (event.error) parts.data.add_raw("error", error_json(*event.error));
  return parts;
}

Parts parts(const StepFailed& event) {
  Parts parts = step_parts(event.step);
  parts.data.add_raw("error", error_json(event.error));
  return parts;
}

Parts parts(const StepSkipped& event) {
  return step_parts(event.step);
}
Parts parts(const RunPaused&) {
  return {};
}
Parts parts(const RunResumed&) {
  return {};
}
Parts parts(const RunRetried&) {
  return {};
}

Parts parts(const RunCompleted& event) {
  Parts parts;
  parts.data.add_raw("output", event.output.bytes());
  return parts;
}

Parts parts(const RunFailed& event) {
  Parts parts;
  parts.step = event.step;
  parts.data.add_raw("error", error_json(event.error));
  return parts;
}

Parts parts(const RunCancelled& event) {
  Parts parts;
  parts.data.add("reason", event.reason);
  return parts;
}

// --- reading
// ------------------------------------------------------------------------------------------------------

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

  std::int32_t optional_integer(std::string_view name) {
    const auto member = members_.find(name);
    if (member == members_.end()) return 0;
    std::int32_t value = 0;
    const std::string_view text = member->second;
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc())
      complain("bad number");
    return value;
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

RunCreated read_created(EntryReader& in) {
  return {.workflow = in.text("workflow"),
          .definition = in.text("definition"),
          .input = in.payload("input"),
          .session_id = in.optional_text("session_id"),
          .priority = in.optional_integer("priority"),
          .labels = in.optional_strings("labels"),
          .traceparent = in.optional_text("traceparent").value_or("")};
}

TaskSucceeded read_succeeded(EntryReader& in) {
  return {.step = in.step(),
          .item = in.item(),
          .attempt = in.attempt(),
          .output = in.payload("output"),
          .usage = in.optional_payload("usage"),
          .worker = in.text("worker"),
          .started_at = in.time("started_at")};
}

TaskFailed read_failed(EntryReader& in) {
  return {.step = in.step(),
          .item = in.item(),
          .attempt = in.attempt(),
          .error = in.error(),
          .retry_at = in.optional_time("retry_at"),
          .worker = in.text("worker"),
          .started_at = in.time("started_at")};
}

std::optional<Event> read(std::string_view type, EntryReader& in) {
  if (type == "task_scheduled") {
    return TaskScheduled{in.step(), in.item(), in.attempt(), in.text("agent"), in.optional_payload("input")};
  }
  if (type == "task_succeeded") return read_succeeded(in);
  if (type == "task_failed") return read_failed(in);
  if (type == "run_created") return read_created(in);
  if (type == "run_completed") return RunCompleted{in.payload("output")};
  if (type == "step_started") return StepStarted{in.step(), in.payload("items")};
  if (type == "step_completed")
    return StepCompleted{in.step(), in.optional_payload("output"), in.optional_error()};
  if (type == "step_sleeping") return StepSleeping{in.step(), in.time("until")};
  if (type == "step_failed") return StepFailed{in.step(), in.error()};
  if (type == "step_skipped") return StepSkipped{in.step()};
  if (type == "run_paused") return RunPaused{};
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

std::string_view event_type(const Event& event) {
  return kTypes[event.index()];
}

JournalEntry encode(const Event& event, std::uint64_t seq, Timestamp at, const WorkflowDefinition& workflow) {
  Parts said = std::visit([](const auto& e) { return parts(e); }, event);
  JournalEntry entry{.seq = seq,
                     .at = at,
                     .type = std::string(event_type(event)),
                     .step = {},
                     .item = {},
                     .attempt = {},
                     .data = {}};
  if (said.step) {
    const StepDefinition& step = workflow.steps[said.step->value()];
    entry.step = step.name;
    if (step.for_each && said.item) entry.item = said.item->value();
  }
  if (said.attempt) entry.attempt = said.attempt->value();
  entry.data = said.data.finish();
  return entry;
}

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
