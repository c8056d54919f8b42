#include "cli/run_summary.h"

#include <vector>

#include "base/json_text.h"
#include "cli/elapsed.h"
#include "cli/fields.h"
#include "cli/pretty_json.h"
#include "cli/table.h"
#include "cli/terminal_text.h"

namespace ganglion::cli {
namespace {

std::string error_text(const Fields& fields) {
  const Fields error = fields.object("error");
  return error.empty() ? "" : error.text("code") + ": " + error.text("message");
}

// What a step has been waiting for, or the run that performs it.
std::string waiting_text(const Fields& step) {
  const Fields wait = step.object("waiting_for");
  const std::string kind = wait.text("kind");
  if (kind == "timer") return " until " + wait.text("until");
  if (kind == "event") return " for event " + wait.text("event");
  if (kind != "approval") return "";
  const std::string by = wait.joined("by", " or ");
  return " for " + (by.empty() ? "a person" : by);
}

std::string attempts_text(const Fields& step) {
  const std::string attempts = step.text("attempts");
  return step.number("iteration") > 1 ? attempts + ", iteration " + step.text("iteration") : attempts;
}

// Where a run comes from that nobody has started by hand.
std::string origin_text(const Fields& run) {
  std::string out;
  if (const Fields parent = run.object("parent"); !parent.empty()) {
    out += "parent    " + printable(parent.text("run_id") + ", step " + parent.place()) + "\n";
  }
  if (const Fields fork = run.object("forked_from"); !fork.empty()) {
    out += "fork of   " +
           printable(fork.text("run_id") + ", from step " + fork.text("step") + " on, after entry " +
                     fork.text("seq")) +
           "\n";
  }
  if (const Fields cause = run.object("cause"); !cause.empty()) {
    out += "cause     event " + printable(cause.text("event")) + "\n";
  }
  return out;
}

Table step_table(std::string_view steps) {
  Table table{.header = {"STEP", "STATUS", "TOOK", "ATTEMPTS", "ERROR"}, .rows = {}};
  std::vector<std::string> sub_runs;
  bool any_sub_run = false;
  JsonMembers reader(steps);
  while (const auto step = reader.next()) {
    const Fields members(step->value);
    std::string status = members.text("status") + waiting_text(members);
    if (const Fields items = members.object("items"); !items.empty()) {
      status += " " + items.text("done") + "/" + items.text("total");
    }
    table.rows.push_back({read_json_string("\"" + std::string(step->name) + "\"").value_or(""), status,
                          took(members.text("started_at"), members.text("ended_at")), attempts_text(members),
                          error_text(members)});
    sub_runs.push_back(members.text("run_id"));
    any_sub_run = any_sub_run || members.has("run_id");
  }
  if (!any_sub_run) return table;
  // Before the errors, which may be long.
  table.header.insert(table.header.end() - 1, "RUN");
  for (std::size_t i = 0; i < sub_runs.size(); ++i)
    table.rows[i].insert(table.rows[i].end() - 1, sub_runs[i]);
  return table;
}

}  // namespace

std::string took(const std::string& from, const std::string& to) {
  const auto start = parse_rfc3339(from), end = parse_rfc3339(to);
  return start && end ? elapsed_text(*end - *start) : "";
}

std::string run_summary(std::string_view run_json, std::size_t columns) {
  const Fields run(run_json);
  std::string out = "run       " + printable(run.text("id")) + "\nworkflow  " +
                    printable(run.text("workflow")) + "\nstatus    " + printable(run.text("status")) +
                    "\ncreated   " + printable(run.text("created_at")) + "\n";
  if (const std::string ended = run.text("ended_at"); !ended.empty()) {
    out += "ended     " + printable(ended) + "  (" + took(run.text("created_at"), ended) + ")\n";
  }
  if (const std::string session = run.text("session_id"); !session.empty())
    out += "session   " + printable(session) + "\n";
  out += origin_text(run);
  if (const std::string error = error_text(run); !error.empty())
    out += "error     " + printable(error) + "\n";
  out += "\n" + render(step_table(run.raw("steps")), columns);
  out += "\ninput\n" + pretty_json(run.raw("input")) + "\n";
  if (run.raw("output") != "null") out += "\noutput\n" + pretty_json(run.raw("output")) + "\n";
  return out;
}

}  // namespace ganglion::cli
