#pragma once

// The process's own terminal: results go to standard output, everything else to standard error, so that a
// pipe gets only what was asked for. Colours and pictures that move are for terminals; NO_COLOR is honoured
// (no-color.org).

#include <cstddef>
#include <string>
#include <string_view>

#include "cli/run_tree.h"
#include "cli/styled_line.h"

namespace ganglion::cli {

enum class Stream { output, messages };

bool is_terminal(Stream stream);
// A terminal that can move its cursor.
bool is_live(Stream stream);
Colour colour_of(Stream stream);
Symbols symbols_of_locale();

struct TerminalSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};
// As it is now.
TerminalSize size_of(Stream stream);
// For tables: the terminal's width; 0 (never cut) where standard output is none.
std::size_t output_columns();

// Whole texts at once, so that lines of several threads don't mix. What nobody reads any more is dropped.
void write(Stream stream, std::string_view text);
// A line, made printable, to the messages.
void say(std::string_view line);
// `ganglion: text`; a text of several lines keeps its lines.
void complain(std::string_view text);

// Whether there is a person at a terminal who could answer a question.
bool can_ask();
// Asks on the terminal, `question [y/N]`; anything but yes is no.
bool ask(std::string_view question);

}  // namespace ganglion::cli
