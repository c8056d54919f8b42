#include "cli/run_display.h"

#include <algorithm>
#include <chrono>

#include "cli/console.h"
#include "cli/terminal_text.h"

namespace ganglion::cli {
namespace {

Timestamp now() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return Timestamp(std::chrono::duration_cast<Duration>(since_epoch).count());
}

}  // namespace

void WorkerOutput::push(const std::string& worker, const std::string& line) {
  const std::scoped_lock lock(mutex_);
  if (lines_.size() >= kMaxLines) {
    ++dropped_;
    return;
  }
  lines_.push_back(worker + ": " + line);
}

std::vector<std::string> WorkerOutput::take() {
  const std::scoped_lock lock(mutex_);
  if (dropped_ > 0)
    lines_.push_back("(" + std::to_string(std::exchange(dropped_, 0)) + " more lines of workers)");
  return std::exchange(lines_, {});
}

RunDisplay::RunDisplay(DisplayMode mode, RunTree tree, WorkerOutput& output, std::string arguments)
    : mode_(mode),
      tree_(std::move(tree)),
      output_(output),
      view_(colour_of(Stream::messages)),
      arguments_(std::move(arguments)) {}

void RunDisplay::apply(const JournalEntry& entry) {
  if (entry.seq <= tree_.last_seq()) return;
  tree_.apply(entry);
  if (mode_ == DisplayMode::lines) say(narrator_.line(entry));
}

void RunDisplay::note(const std::string& line) {
  if (mode_ == DisplayMode::lines) say(line);
  if (mode_ == DisplayMode::live) notes_.push_back(line);
}

void RunDisplay::demand(const std::string& text) {
  if (mode_ != DisplayMode::live) return complain(text);
  const std::size_t end = std::min(text.find('\n'), text.size());
  note("ganglion: " + text.substr(0, end));
  if (end < text.size()) note(text.substr(end + 1));
}

void RunDisplay::tick() {
  for (const std::string& line : output_.take()) note(line);
  if (mode_ == DisplayMode::live) return draw(false);
  announce();
}

// Not with the entry itself: in a history that is told again most of them have been met long since.
void RunDisplay::announce() {
  for (const RunTree::Demand& demand : tree_.demands(arguments_)) {
    if (!announced_.insert(demand.id).second) continue;
    this->demand("step " + demand.place + " " + demand.what + ":\n  " + demand.command);
  }
}

void RunDisplay::finish() {
  for (const std::string& line : output_.take()) note(line);
  if (mode_ == DisplayMode::live) draw(true);
}

void RunDisplay::draw(bool whole) {
  const TerminalSize size = size_of(Stream::messages);
  // The last row stays free for the cursor.
  const std::size_t max_lines = whole ? 0 : std::max<std::size_t>(size.rows, 4) - 1;
  const auto lines = tree_.lines(
      {.now = now(), .symbols = symbols_of_locale(), .max_lines = max_lines, .arguments = arguments_});
  std::vector<StyledLine> above;
  for (const std::string& line : std::exchange(notes_, {})) above.push_back({{printable(line), Tint::faint}});
  write(Stream::messages, view_.frame(lines, size.columns, above));
}

DisplayMode display_mode() {
  return is_live(Stream::messages) ? DisplayMode::live : DisplayMode::lines;
}

}  // namespace ganglion::cli
