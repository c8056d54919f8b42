#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "cli/elapsed.h"
#include "cli/run_tree.h"
#include "cli/terminal_text.h"

namespace ganglion::cli {
namespace {

constexpr std::size_t kMaxNameColumns = 32;
constexpr std::size_t kStatusColumns = 9;
constexpr std::size_t kElapsedColumns = 6;
constexpr std::size_t kMaxTroubledItems = 3;  // shown under a mapped step
constexpr std::int64_t kFrameMs = 100;        // of the spinner

struct Symbol {
  std::string_view unicode, ascii;
};

std::string_view pick(const Symbol& symbol, Symbols symbols) {
  return symbols == Symbols::unicode ? symbol.unicode : symbol.ascii;
}

std::string_view spinner(Timestamp now, Symbols symbols) {
  static constexpr std::array<Symbol, 8> kFrames = {
      {{"⣷", "|"}, {"⣯", "/"}, {"⣟", "-"}, {"⡿", "\\"}, {"⢿", "|"}, {"⣻", "/"}, {"⣽", "-"}, {"⣾", "\\"}}};
  const auto frame =
      static_cast<std::size_t>(std::max<std::int64_t>(now.milliseconds_since_epoch(), 0) / kFrameMs);
  return pick(kFrames[frame % kFrames.size()], symbols);
}

std::string_view mark_of(std::string_view status, Timestamp now, Symbols symbols) {
  if (status == "completed") return pick({"✓", "+"}, symbols);
  if (status == "failed") return pick({"✗", "x"}, symbols);
  if (status == "skipped") return pick({"–", "-"}, symbols);
  if (status == "cancelled") return pick({"⊘", "o"}, symbols);
  if (status == "waiting" || status == "paused") return pick({"◦", "~"}, symbols);
  if (status == "running") return spinner(now, symbols);
  return pick({"·", "."}, symbols);
}

Tint tint_of(std::string_view status) {
  if (status == "completed") return Tint::good;
  if (status == "failed") return Tint::bad;
  if (status == "cancelled" || status == "paused") return Tint::notice;
  if (status == "running" || status == "waiting") return Tint::busy;
  return Tint::faint;
}

std::string counted(std::size_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what);
}

void append_note(std::string& notes, const std::string& note) {
  if (note.empty()) return;
  notes += (notes.empty() ? "" : ", ") + note;
}

// 1234567 as 1,234,567.
std::string grouped(double amount) {
  std::string text = std::to_string(std::llround(std::min(amount, 1e15)));
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

}  // namespace

std::vector<StyledLine> RunTree::lines(const Layout& layout) const {
  std::vector<StyledLine> lines = {head(layout)};
  // Room for the head, and for the line that counts what is left out.
  const bool too_long = layout.max_lines != 0 && steps_.size() + 1 > layout.max_lines;
  const std::size_t room = too_long ? std::max<std::size_t>(layout.max_lines, 3) - 2 : steps_.size();
  const auto steps = shown(room);
  std::size_t left =
      layout.max_lines == 0 ? SIZE_MAX : layout.max_lines - std::min(layout.max_lines, steps.size() + 1);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const bool last = i + 1 == steps.size() && !too_long;
    lines.push_back(line_of(*steps[i], layout, last));
    auto trouble = demands_of(*steps[i], layout, last);
    std::ranges::move(trouble_of(*steps[i], layout, last), std::back_inserter(trouble));
    if (too_long || trouble.size() > left) continue;
    left -= trouble.size();
    std::ranges::move(trouble, std::back_inserter(lines));
  }
  if (too_long) {
    const std::string corner(pick({"└─ ", "`- "}, layout.symbols));
    lines.push_back(
        {{corner, Tint::faint}, {counted(steps_.size() - steps.size(), "more steps"), Tint::faint}});
  }
  return lines;
}

// As the API has it: a run waits when nothing of it is under way.
std::string_view RunTree::shown_status() const {
  const auto waits = [](const Step& step) { return step.waiting > 0; };
  const auto works = [](const Step& step) { return step.under_way > 0 || step.backing_off > 0; };
  const bool waiting =
      status_ == "running" && std::ranges::any_of(steps_, waits) && std::ranges::none_of(steps_, works);
  return waiting ? "waiting" : std::string_view(status_);
}

StyledLine RunTree::head(const Layout& layout) const {
  StyledLine line = {{printable(workflow_), Tint::strong},
                     {" " + printable(run_id_) + " ", Tint::faint},
                     {std::string(shown_status()), tint_of(shown_status())}};
  if (started_at_) line.push_back({" " + elapsed_text(ended_at_.value_or(layout.now) - *started_at_)});
  const auto ended = std::ranges::count_if(
      steps_, [](const Step& step) { return step.status == "completed" || step.status == "skipped"; });
  line.push_back({"  " + std::to_string(ended) + "/" + counted(steps_.size(), "steps"), Tint::faint});
  if (tokens_ > 0) line.push_back({", " + grouped(tokens_) + " tokens", Tint::faint});
  if (!error_.empty()) line.push_back({"  " + printable(error_), tint_of(status_)});
  return line;
}

StyledLine RunTree::line_of(const Step& step, const Layout& layout, bool last) const {
  std::size_t name_columns = 0;
  for (const Step& other : steps_) {
    name_columns = std::max(name_columns, std::min(columns_of(printable(other.name)), kMaxNameColumns));
  }
  const Tint tint = tint_of(step.status);
  StyledLine line = {
      {std::string(pick(last ? Symbol{"└─ ", "`- "} : Symbol{"├─ ", "|- "}, layout.symbols)), Tint::faint},
      {std::string(mark_of(step.status, layout.now, layout.symbols)) + " ", tint},
      {padded(fit(printable(step.name), kMaxNameColumns), name_columns) + "  "},
      {padded(step.status, kStatusColumns) + " ", tint}};
  const std::string elapsed =
      step.started_at ? elapsed_text(step.ended_at.value_or(layout.now) - *step.started_at) : "";
  line.push_back({padded_left(elapsed, kElapsedColumns)});
  if (const std::string notes = notes_of(step); !notes.empty()) line.push_back({"  " + notes, Tint::faint});
  std::string error = step.error;
  const auto only = step.tasks.find(0);
  if (error.empty() && !step.items && only != step.tasks.end()) error = only->second.error;
  if (!error.empty())
    line.push_back({"  " + printable(error), step.status == "failed" ? Tint::bad : Tint::notice});
  return line;
}

std::string RunTree::notes_of(const Step& step) const {
  std::string notes;
  if (step.items) {
    append_note(notes, std::to_string(step.done) + "/" + std::to_string(*step.items));
    if (step.failed > 0) append_note(notes, counted(step.failed, "failed"));
    if (step.status == "running" && step.under_way > 0)
      append_note(notes, counted(step.under_way, "under way"));
    if (step.status == "running" && step.backing_off > 0)
      append_note(notes, counted(step.backing_off, "to be tried again"));
    if (step.status == "running" && step.waiting > 0) append_note(notes, counted(step.waiting, "waiting"));
    return notes;
  }
  const auto only = step.tasks.find(0);
  if (only == step.tasks.end()) return notes;
  const Task& task = only->second;
  if (task.mood == TaskMood::waiting) append_note(notes, task.wait);
  append_note(notes, printable(task.performer));
  if (task.iteration > 1) append_note(notes, "iteration " + std::to_string(task.iteration));
  if (task.attempt > 1) append_note(notes, "attempt " + std::to_string(task.attempt));
  if (step.backing_off > 0 && step.status == "running") append_note(notes, "to be tried again");
  return notes;
}

std::vector<RunTree::Demand> RunTree::demands(const std::string& arguments) const {
  std::vector<Demand> all;
  if (ended()) return all;
  for (const Step& step : steps_) {
    const std::string place = printable(step.name);
    const auto waits = [](const auto& entry) {
      return entry.second.mood == TaskMood::waiting && entry.second.needs_person;
    };
    const auto first = std::ranges::find_if(step.tasks, waits);
    if (first != step.tasks.end() && step.items) {
      all.push_back({.id = step.name + " items",
                     .place = place,
                     .what = "has items that wait for a person",
                     .command = "ganglion approvals list --run " + printable(run_id_) + arguments});
    } else if (first != step.tasks.end()) {
      const Task& task = first->second;
      all.push_back({.id = step.name + " " + std::to_string(task.attempt),
                     .place = place,
                     .what = "waits " + task.wait,
                     .command = "ganglion approvals approve " + printable(run_id_) + "/" + place +
                                (task.names_people ? " --by NAME" : "") + arguments});
    } else if (step.status == "paused" && paused_at_ > 0) {
      all.push_back({.id = step.name + " paused " + std::to_string(paused_at_),
                     .place = place,
                     .what = "has paused the run by its failure",
                     .command = "ganglion runs resume " + printable(run_id_) + arguments});
    }
  }
  return all;
}

// What somebody would have to type.
std::vector<StyledLine> RunTree::demands_of(const Step& step, const Layout& layout, bool last) const {
  std::vector<StyledLine> lines;
  const std::string indent(last ? "   " : pick({"│  ", "|  "}, layout.symbols));
  for (const Demand& demand : demands(layout.arguments)) {
    if (demand.place != printable(step.name)) continue;
    lines.push_back({{indent + "   ", Tint::faint}, {demand.command, Tint::notice}});
  }
  return lines;
}

// The items of a mapped step that failed or had to be tried again, the first few of them.
std::vector<StyledLine> RunTree::trouble_of(const Step& step, const Layout& layout, bool last) const {
  std::vector<StyledLine> lines;
  if (!step.items) return lines;
  const std::string indent(last ? "   " : pick({"│  ", "|  "}, layout.symbols));
  std::size_t troubled = 0;
  for (const auto& [item, task] : step.tasks) {
    if (task.error.empty() || task.mood == TaskMood::done) continue;
    if (++troubled > kMaxTroubledItems) continue;
    const bool failed = task.mood == TaskMood::failed;
    lines.push_back(
        {{indent + "   ", Tint::faint},
         {"[" + std::to_string(item) + "] "},
         {failed ? "failed" : "attempt " + std::to_string(task.attempt), failed ? Tint::bad : Tint::notice},
         {": " + printable(task.error)}});
  }
  if (troubled > kMaxTroubledItems) {
    lines.push_back({{indent + "   ", Tint::faint},
                     {"and " + counted(troubled - kMaxTroubledItems, "more"), Tint::faint}});
  }
  return lines;
}

// Where there is no room for all: first what failed, then what is under way, then what comes next, then what
// is done; in the order of their declaration.
std::vector<const RunTree::Step*> RunTree::shown(std::size_t room) const {
  const auto rank = [](const Step* step) {
    if (step->status == "failed" || step->status == "paused") return 0;
    if (step->status == "running" || step->status == "waiting") return 1;
    return step->status == "pending" ? 2 : 3;
  };
  std::vector<const Step*> steps;
  for (const Step& step : steps_) steps.push_back(&step);
  // One vector holds them, so their addresses are in its order.
  std::ranges::sort(steps, {}, [&](const Step* step) { return std::pair(rank(step), step); });
  steps.resize(std::min(room, steps.size()));
  std::ranges::sort(steps);
  return steps;
}

}  // namespace ganglion::cli
