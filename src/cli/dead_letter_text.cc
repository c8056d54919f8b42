#include "cli/dead_letter_text.h"

#include "cli/fields.h"
#include "cli/table.h"

namespace ganglion::cli {
namespace {

// `01K…/scan[3] (scanner)`, or the event's topic.
std::string subject_of(const Fields& letter) {
  if (letter.text("kind") == "event") return letter.object("event").text("type");
  const std::string agent = letter.has("agent") ? " (" + letter.text("agent") + ")" : "";
  return letter.text("run_id") + "/" + letter.place() + agent;
}

}  // namespace

std::string dead_letters_table(const std::vector<std::string_view>& dead_letters, std::size_t columns) {
  Table table{.header = {"DEAD LETTER", "KIND", "SINCE", "OF", "ATTEMPTS", "ERROR"}, .rows = {}};
  for (const std::string_view json : dead_letters) {
    const Fields letter(json);
    const Fields error = letter.object("error");
    table.rows.push_back({letter.text("id"), letter.text("kind"), letter.text("at"), subject_of(letter),
                          letter.text("attempts"), error.text("code") + ": " + error.text("message")});
  }
  return render(table, columns);
}

}  // namespace ganglion::cli
