#include "cli/run_summary.h"

#include <map>

#include "base/json_text.h"
#include "cli/elapsed.h"
#include "cli/pretty_json.h"
#include "cli/table.h"
#include "cli/terminal_text.h"

namespace ganglion::cli {
namespace {

using Members = std::map<std::string_view, std::string_view>;

Members members_of(std::string_view object) {
  Members members;
  JsonMembers reader(object);
  while (const auto member = reader.next()) members.emplace(member->name, member->value);
  return members;
}

std::string_view raw(const Members& members, std::string_view name) {
  const auto found = members.find(name);
  return found == members.end() ? "null" : found->second;
}

// A string's text, another value's JSON, nothing for null.
std::string text(const Members& members, std::string_view name) {
  const std::string_view json = raw(members, name);
  if (json == "null") return "";
  return read_json_string(json).value_or(std::string(json));
}

std::string error_text(const Members& members) {
  const Members error = members_of(raw(members, "error"));
  return error.empty() ? "" : text(error, "code") + ": " + text(error, "message");
}

Table step_table(std::string_view steps) {
  Table table{.header = {"STEP", "STATUS", "TOOK", "ATTEMPTS", "ERROR"}, .rows = {}};
  JsonMembers reader(steps);
  while (const auto step = reader.next()) {
    const Members members = members_of(step->value);
    std::string status = text(members, "status");
    if (const Members items = members_of(raw(members, "items")); !items.empty()) {
      status += " " + text(items, "done") + "/" + text(items, "total");
    }
    table.rows.push_back({read_json_string("\"" + std::string(step->name) + "\"").value_or(""), status,
                          took(text(members, "started_at"), text(members, "ended_at")),
                          text(members, "attempts"), error_text(members)});
  }
  return table;
}

}  // namespace

std::string took(const std::string& from, const std::string& to) {
  const auto start = parse_rfc3339(from), end = parse_rfc3339(to);
  return start && end ? elapsed_text(*end - *start) : "";
}

std::string run_summary(std::string_view run_json, std::size_t columns) {
  const Members run = members_of(run_json);
  std::string out = "run       " + printable(text(run, "id")) + "\nworkflow  " +
                    printable(text(run, "workflow")) + "\nstatus    " + printable(text(run, "status")) +
                    "\ncreated   " + printable(text(run, "created_at")) + "\n";
  if (const std::string ended = text(run, "ended_at"); !ended.empty()) {
    out += "ended     " + printable(ended) + "  (" + took(text(run, "created_at"), ended) + ")\n";
  }
  if (const std::string session = text(run, "session_id"); !session.empty())
    out += "session   " + printable(session) + "\n";
  if (const std::string error = error_text(run); !error.empty())
    out += "error     " + printable(error) + "\n";
  out += "\n" + render(step_table(raw(run, "steps")), columns);
  out += "\ninput\n" + pretty_json(raw(run, "input")) + "\n";
  if (raw(run, "output") != "null") out += "\noutput\n" + pretty_json(raw(run, "output")) + "\n";
  return out;
}

}  // namespace ganglion::cli
