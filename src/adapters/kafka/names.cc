#include "adapters/kafka/names.h"

namespace ganglion::kafka {

std::string written(std::string_view name) {
  std::string text;
  std::size_t underscores = 0;  // right before
  for (const char letter : name) {
    if (letter == ':' || letter == '.') {
      text.append(underscores + (letter == '.' ? 1 : 0), '_');
      text += '.';
    } else {
      text += letter;
    }
    underscores = letter == '_' ? underscores + 1 : 0;
  }
  return text;
}

}  // namespace ganglion::kafka
