#include "cli/approval_text.h"

#include "cli/fields.h"
#include "cli/pretty_json.h"
#include "cli/table.h"
#include "cli/terminal_text.h"

namespace ganglion::cli {
namespace {

constexpr std::size_t kNameColumns = 11;
constexpr std::size_t kMaxListed = 10;  // in a message

std::string people_of(const Fields& approval) {
  const std::string by = approval.joined("by", " or ");
  return by.empty() ? "anybody" : by;
}

void add_line(std::string& out, std::string_view name, const std::string& value) {
  if (!value.empty()) out += padded(name, kNameColumns) + printable(value) + "\n";
}

bool is_meant(const Fields& approval, std::string_view named) {
  const std::string run = approval.text("run_id");
  return named == run || named == run + "/" + approval.text("step") || named == run + "/" + approval.place();
}

}  // namespace

std::string approvals_table(const std::vector<std::string_view>& approvals, std::size_t columns) {
  Table table{.header = {"APPROVAL", "WORKFLOW", "STEP", "BY", "ASKED", "EXPIRES", "SHOWS"}, .rows = {}};
  for (const std::string_view json : approvals) {
    const Fields approval(json);
    const std::string agent = approval.has("agent") ? " (" + approval.text("agent") + ")" : "";
    table.rows.push_back({approval.text("id"), approval.text("workflow"), approval.place() + agent,
                          people_of(approval), approval.text("requested_at"), approval.text("expires_at"),
                          approval.text("show")});
  }
  return render(table, columns);
}

std::string approval_details(std::string_view json) {
  const Fields approval(json);
  std::string out;
  add_line(out, "approval", approval.text("id"));
  add_line(out, "run", approval.text("run_id"));
  add_line(out, "workflow", approval.text("workflow"));
  add_line(out, "step", approval.place());
  add_line(out, "task for", approval.text("agent"));
  add_line(out, "by", people_of(approval));
  add_line(out, "asked", approval.text("requested_at"));
  add_line(out, "expires", approval.text("expires_at"));
  add_line(out, "digest", approval.text("digest"));
  return out + "\n" + pretty_json(approval.raw("show")) + "\n";
}

std::expected<std::string_view, std::string> find_approval(const std::vector<std::string_view>& approvals,
                                                           std::string_view named) {
  std::vector<std::string_view> meant;
  for (const std::string_view json : approvals) {
    const Fields approval(json);
    if (approval.text("id") == named) return json;
    if (is_meant(approval, named)) meant.push_back(json);
  }
  if (meant.size() == 1) return meant.front();
  if (meant.empty()) {
    return std::unexpected("nothing called " + std::string(named) +
                           " waits for a decision; `ganglion approvals list` says what does");
  }
  std::string text = std::to_string(meant.size()) + " approvals are called " + std::string(named) + ":";
  for (std::size_t i = 0; i < meant.size() && i < kMaxListed; ++i) {
    const Fields approval(meant[i]);
    text += "\n  " + approval.text("id") + "  " + approval.place();
  }
  return std::unexpected(text + (meant.size() > kMaxListed ? "\n  …" : ""));
}

}  // namespace ganglion::cli
