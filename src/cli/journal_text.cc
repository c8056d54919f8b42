#include "cli/journal_text.h"

#include <charconv>
#include <cstdint>

#include "base/json_text.h"
#include "cli/elapsed.h"
#include "cli/fields.h"
#include "cli/terminal_text.h"

namespace ganglion::cli {
namespace {

template <typename Integer>
bool read_integer(std::string_view text, Integer& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// Whether this member of an entry could be read into it.
bool take_member(const JsonMembers::Member& member, JournalEntry& entry) {
  const auto take_text = [&](auto& target) {
    auto text = read_json_string(member.value);
    if (!text) return false;
    target = *std::move(text);
    return true;
  };
  const auto take_number = [&](std::optional<std::uint32_t>& target) {
    return read_integer(member.value, target.emplace());
  };
  if (member.name == "seq") return read_integer(member.value, entry.seq);
  if (member.name == "type") return take_text(entry.type);
  if (member.name == "step") return take_text(entry.step.emplace());
  if (member.name == "item") return take_number(entry.item);
  if (member.name == "attempt") return take_number(entry.attempt);
  if (member.name == "at") {
    const auto text = read_json_string(member.value);
    const auto time = text ? parse_rfc3339(*text) : std::unexpected(text.error());
    if (time) entry.at = *time;
    return time.has_value();
  }
  if (member.name == "data") entry.data = member.value;
  return true;
}

std::string attempt_text(const JournalEntry& entry) {
  return "attempt " + std::to_string(entry.attempt.value_or(1));
}

std::string with_error(std::string what, const JournalEntry& entry) {
  const std::string error = error_of(entry);
  return error.empty() ? what : what + ": " + printable(error);
}

std::string failed_attempt(const JournalEntry& entry) {
  const Fields data(entry.data);
  if (data.object("error").text("code") == "cache_miss") return "not in the cache";
  std::string text = with_error(attempt_text(entry) + " failed", entry);
  const auto time = parse_rfc3339(data.text("retry_at"));
  if (time) return text + "; again in " + elapsed_text(*time - entry.at);
  return data.is_true("fall_back") ? text + "; the fallback is next" : text;
}

std::string scheduled_attempt(const JournalEntry& entry) {
  const Fields data(entry.data);
  const std::string role = data.text("role"), agent = printable(data.text("agent"));
  const std::uint32_t iteration = iteration_of(entry);
  const std::string turn = iteration > 1 ? ", iteration " + std::to_string(iteration) : "";
  if (role == "cache") return "looks into the cache" + turn;
  if (role == "recall") return "looks for an older answer in the cache" + turn;
  if (role == "sub_run") return attempt_text(entry) + " in a run of workflow " + agent + turn;
  if (role == "classify") return attempt_text(entry) + " for classifier " + agent + turn;
  return attempt_text(entry) + (agent.empty() ? "" : " for agent " + agent) + turn;
}

std::string succeeded_attempt(const JournalEntry& entry) {
  if (is_set(entry, "again")) return "not there yet; another iteration";
  return entry.attempt.value_or(1) > 1 ? "completed at " + attempt_text(entry) : "completed";
}

std::string routed(const JournalEntry& entry) {
  const Fields data(entry.data);
  const std::string by = data.text("by"), reason = printable(data.text("reason"));
  const std::string to = "routed to agent " + printable(data.text("to"));
  if (by == "rule") return to + " by the rule " + reason;
  if (by == "classifier") return to + " by the classifier";
  return to + " by default" + (reason.empty() ? "" : ": " + reason);
}

std::string decided(const JournalEntry& entry) {
  const Fields data(entry.data);
  const std::string by = printable(data.text("by")), comment = printable(data.text("comment"));
  return std::string(data.text("decision") == "approve" ? "approved" : "rejected") +
         (by.empty() ? "" : " by " + by) + (comment.empty() ? "" : ": " + comment);
}

std::string published(const JournalEntry& entry) {
  const Fields data(entry.data);
  return "published " + printable(data.text("topic")) + ", event " + printable(data.text("id"));
}

std::string state_change(const JournalEntry& entry) {
  const Fields data(entry.data);
  const std::string key = printable(data.text("key"));
  return (!data.has("value") ? "state removed: " : "state written: ") + key;
}

std::string forked(const JournalEntry& entry) {
  const Fields data(entry.data);
  const std::string step = data.text("from_step");
  return "forked from run " + printable(data.text("from")) + " after entry " + data.text("seq") +
         (step.empty() ? "" : ", from step " + printable(step) + " on") +
         (data.has("input") ? ", with another input" : "");
}

std::string paused(const JournalEntry& entry) {
  if (is_set(entry, "by_parent")) return "run paused with the run that started it";
  return entry.step ? "run paused: this step's failure waits for a person" : "run paused";
}

std::string described_with(std::string what, const JournalEntry& entry, std::string_view member) {
  const auto text = text_of(entry, member);
  return text && !text->empty() ? what + printable(*text) : what;
}

}  // namespace

Result<JournalEntry> read_entry(std::string_view json) {
  JournalEntry entry;
  JsonMembers members(json);
  while (const auto member = members.next()) {
    if (!take_member(*member, entry)) {
      return fail("invalid_entry",
                  "a journal entry has a malformed member \"" + std::string(member->name) + "\"");
    }
  }
  if (!members.intact() || entry.seq == 0 || entry.type.empty()) {
    return fail("invalid_entry", "this is not a journal entry: " + fit(printable(json.substr(0, 200)), 80));
  }
  return entry;
}

std::string error_of(const JournalEntry& entry) {
  const Fields error = Fields(entry.data).object("error");
  std::string text;
  for (const std::string_view name : {"code", "message"}) {
    const auto part = error.string(name);
    if (part && !part->empty()) text += (text.empty() ? "" : ": ") + *part;
  }
  return text;
}

std::optional<std::string> text_of(const JournalEntry& entry, std::string_view name) {
  return Fields(entry.data).string(name);
}

bool is_set(const JournalEntry& entry, std::string_view member) {
  return Fields(entry.data).is_true(member);
}

std::uint32_t iteration_of(const JournalEntry& entry) {
  const double iteration = Fields(entry.data).number("iteration");
  return iteration >= 1 && iteration <= 1e9 ? static_cast<std::uint32_t>(iteration) : 1;
}

std::optional<WaitText> wait_of(const JournalEntry& entry) {
  if (entry.type != "task_waiting") return std::nullopt;
  const Fields data(entry.data);
  const std::string what = data.text("for");
  if (what == "timer") return WaitText{WaitText::Kind::time, false, "until " + printable(data.text("until"))};
  if (what == "event")
    return WaitText{WaitText::Kind::event, false, "for event " + printable(data.text("event"))};
  const std::string by = printable(data.joined("by", " or "));
  return WaitText{WaitText::Kind::person, !by.empty(), "for " + (by.empty() ? "a person" : by)};
}

std::size_t item_count(const JournalEntry& entry) {
  return Fields(entry.data).list("items").size();
}

std::string place_of(const JournalEntry& entry) {
  if (!entry.step) return "";
  const std::string item = entry.item ? "[" + std::to_string(*entry.item) + "]" : "";
  return printable(*entry.step) + item;
}

std::string describe(const JournalEntry& entry) {
  const std::string& type = entry.type;
  if (type == "run_created") return described_with("run started: workflow ", entry, "workflow");
  if (type == "step_started") return "started with " + std::to_string(item_count(entry)) + " items";
  if (type == "run_forked") return forked(entry);
  if (type == "task_scheduled") return scheduled_attempt(entry);
  if (type == "task_waiting") return "waiting " + wait_of(entry)->what;
  if (type == "task_routed") return routed(entry);
  if (type == "approval_decided") return decided(entry);
  if (type == "signal_received") return described_with("signal received: ", entry, "name");
  if (type == "event_delivered") return described_with("received event ", entry, "id");
  if (type == "event_published") return published(entry);
  if (type == "state_changed") return state_change(entry);
  if (type == "task_succeeded") return succeeded_attempt(entry);
  if (type == "task_failed") return failed_attempt(entry);
  if (type == "step_completed") return with_error("completed", entry);
  if (type == "step_failed") return with_error("failed", entry);
  if (type == "step_skipped") return "skipped";
  if (type == "run_paused") return paused(entry);
  if (type == "run_resumed") return "run resumed";
  if (type == "run_retried") return "run goes on from what had failed";
  if (type == "run_completed") return "run completed";
  if (type == "run_failed") return with_error("run failed", entry);
  if (type == "run_cancelled") return described_with("run cancelled: ", entry, "reason");
  return printable(type);
}

std::optional<Duration> Narrator::taken(const JournalEntry& entry) {
  const std::string step = entry.step.value_or("");
  const auto since = [&](auto& begun, const auto& key) -> std::optional<Duration> {
    const auto found = begun.find(key);
    if (found == begun.end()) return std::nullopt;
    const Duration duration = entry.at - found->second;
    begun.erase(found);
    return duration;
  };
  if (entry.type == "task_succeeded" || entry.type == "task_failed")
    return since(attempts_, Place(step, entry.item));
  if (entry.type == "step_completed" || entry.type == "step_failed") return since(steps_, step);
  if (entry.type.starts_with("run_") && !entry.step && began_ && entry.type != "run_created" &&
      entry.type != "run_forked")
    return entry.at - *began_;
  return std::nullopt;
}

std::string Narrator::line(const JournalEntry& entry) {
  if (!began_) began_ = entry.at;
  const auto duration = taken(entry);
  if (entry.type == "task_scheduled" || entry.type == "task_waiting")
    attempts_[Place(entry.step.value_or(""), entry.item)] = entry.at;
  if (entry.step) steps_.try_emplace(*entry.step, entry.at);
  std::string line = offset_text(entry.at - *began_) + "  ";
  if (const std::string place = place_of(entry); !place.empty()) line += place + "  ";
  line += describe(entry);
  if (duration) line += "  (" + elapsed_text(*duration) + ")";
  return line;
}

}  // namespace ganglion::cli
