#include "cli/console.h"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>

#include "cli/terminal_text.h"

namespace ganglion::cli {
namespace {

constexpr std::size_t kMaxReply = 1000;  // bytes

int descriptor_of(Stream stream) {
  return stream == Stream::output ? STDOUT_FILENO : STDERR_FILENO;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

bool is_terminal(Stream stream) {
  return isatty(descriptor_of(stream)) == 1;
}

bool is_live(Stream stream) {
  return is_terminal(stream) && environment("TERM") != "dumb";
}

Colour colour_of(Stream stream) {
  return is_live(stream) && environment("NO_COLOR").empty() ? Colour::on : Colour::off;
}

Symbols symbols_of_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string value = environment(name);
    if (value.empty()) continue;
    return value.contains("UTF-8") || value.contains("utf8") || value.contains("UTF8") ? Symbols::unicode
                                                                                       : Symbols::ascii;
  }
  return Symbols::ascii;
}

TerminalSize size_of(Stream stream) {
  winsize size{};
  if (ioctl(descriptor_of(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

std::size_t output_columns() {
  return is_terminal(Stream::output) ? size_of(Stream::output).columns : 0;
}

bool can_ask() {
  return isatty(STDIN_FILENO) == 1 && is_terminal(Stream::messages);
}

bool ask(std::string_view question) {
  // What was typed before the question is no answer to it.
  tcflush(STDIN_FILENO, TCIFLUSH);
  write(Stream::messages, printable(question) + " [y/N] ");
  std::string answer;
  for (char byte = 0; answer.size() < kMaxReply && ::read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n';) {
    answer += byte;
  }
  std::ranges::transform(answer, answer.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  return answer == "y" || answer == "yes";
}

void write(Stream stream, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor_of(stream), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void say(std::string_view line) {
  write(Stream::messages, printable(line) + "\n");
}

void complain(std::string_view text) {
  std::string out = "ganglion: ";
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    out += printable(text.substr(at, end - at)) + "\n";
    at = end + 1;
  }
  write(Stream::messages, out);
}

}  // namespace ganglion::cli
