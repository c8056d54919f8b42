#include "cli/live_view.h"

#include <algorithm>

#include "cli/terminal_text.h"

namespace ganglion::cli {
namespace {

constexpr const char* kBeginFrame = "\x1b[?2026h";
constexpr const char* kEndFrame = "\x1b[?2026l";
constexpr const char* kEraseRestOfLine = "\x1b[K";
constexpr const char* kEraseBelow = "\x1b[J";

}  // namespace

std::string LiveView::frame(const std::vector<StyledLine>& lines, std::size_t columns,
                            const std::vector<StyledLine>& above) {
  columns = std::max<std::size_t>(columns, 1);
  std::size_t rows = 0;
  for (const std::size_t width : drawn_) rows += std::max<std::size_t>((width + columns - 1) / columns, 1);

  std::string out = kBeginFrame;
  if (rows > 0) out += "\r\x1b[" + std::to_string(rows) + "A";
  for (const auto* block : {&above, &lines}) {
    for (const StyledLine& line : *block) out += render(line, columns, colour_) + kEraseRestOfLine + "\n";
  }
  if (above.size() + lines.size() < rows) out += kEraseBelow;
  out += kEndFrame;

  drawn_.clear();
  for (const StyledLine& line : lines) drawn_.push_back(columns_of(render(line, columns, Colour::off)));
  return out;
}

}  // namespace ganglion::cli
