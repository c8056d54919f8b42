#include "cli/journal_text.h"

#include <charconv>
#include <cstdint>

#include "base/json_text.h"
#include "cli/elapsed.h"
#include "cli/json_list.h"
#include "cli/terminal_text.h"

namespace ganglion::cli {
namespace {

template <typename Integer>
bool read_integer(std::string_view text, Integer& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

std::optional<std::string_view> member_of(std::string_view object, std::string_view name) {
  JsonMembers members(object);
  while (const auto member = members.next()) {
    if (member->name == name) return member->value;
  }
  return std::nullopt;
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
  std::string text = with_error(attempt_text(entry) + " failed", entry);
  const auto retry_at = text_of(entry, "retry_at");
  const auto time = retry_at ? parse_rfc3339(*retry_at) : fail("none", "");
  return time ? text + "; again in " + elapsed_text(*time - entry.at) : text;
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
  const auto error = member_of(entry.data, "error");
  if (!error) return "";
  std::string text;
  for (const std::string_view name : {"code", "message"}) {
    const auto member = member_of(*error, name);
    const auto part = member ? read_json_string(*member) : fail("none", "");
    if (part && !part->empty()) text += (text.empty() ? "" : ": ") + *part;
  }
  return text;
}

std::optional<std::string> text_of(const JournalEntry& entry, std::string_view name) {
  const auto member = member_of(entry.data, name);
  auto text = member ? read_json_string(*member) : fail("none", "");
  if (!text) return std::nullopt;
  return *std::move(text);
}

std::size_t item_count(const JournalEntry& entry) {
  return elements_of(member_of(entry.data, "items").value_or("")).size();
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
  if (type == "task_scheduled") return described_with(attempt_text(entry) + " for agent ", entry, "agent");
  if (type == "task_succeeded")
    return entry.attempt.value_or(1) > 1 ? "completed at " + attempt_text(entry) : "completed";
  if (type == "task_failed") return failed_attempt(entry);
  if (type == "step_sleeping") return described_with("waiting until ", entry, "until");
  if (type == "step_completed") return with_error("completed", entry);
  if (type == "step_failed") return with_error("failed", entry);
  if (type == "step_skipped") return "skipped";
  if (type == "run_paused") return "run paused";
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
  if (entry.type.starts_with("run_") && !entry.step && began_ && entry.type != "run_created")
    return entry.at - *began_;
  return std::nullopt;
}

std::string Narrator::line(const JournalEntry& entry) {
  if (!began_) began_ = entry.at;
  const auto duration = taken(entry);
  if (entry.type == "task_scheduled") attempts_[Place(entry.step.value_or(""), entry.item)] = entry.at;
  if (entry.step) steps_.try_emplace(*entry.step, entry.at);
  std::string line = offset_text(entry.at - *began_) + "  ";
  if (const std::string place = place_of(entry); !place.empty()) line += place + "  ";
  line += describe(entry);
  if (duration) line += "  (" + elapsed_text(*duration) + ")";
  return line;
}

}  // namespace ganglion::cli
