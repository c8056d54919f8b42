#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "cli/commands.h"
#include "cli/console.h"

namespace ganglion::cli {
namespace {

constexpr std::string_view kProject = R"(# A Ganglion project: agents, and workflows made of them.
#   ganglion validate --graph                 checks this file and draws it
#   ganglion run word-count                   runs it here
#   ganglion serve                            serves it

ganglion: 1

agents:
  counter:                                    # a program: JSON on standard input, JSON on standard output
    kind: process
    command: [python3, agents.py, count]
    timeout: 30s
    retry: {max_attempts: 2}
  reporter:
    kind: process
    command: [python3, agents.py, report]

workflows:
  word-count:
    input:
      type: object
      properties:
        texts: {type: array, items: {type: string}}
    steps:
      texts:                                  # the input's texts, or some of our own
        transform: "${{ has(input.texts) ? input.texts : ['the cat sat on the mat', 'a mat is not a cat'] }}"
      count:                                  # one task for each text, side by side
        for_each: "${{ steps.texts.output }}"
        max_parallel: 4
        agent: counter
        input: {text: "${{ item }}"}
      report:                                 # starts when every text is counted
        agent: reporter
        input: {counts: "${{ steps.count.output }}"}
    output: "${{ steps.report.output }}"
)";

constexpr std::string_view kAgents =
    R"("""The agents of ganglion.yaml. Each task starts this program once: the task's input is JSON on standard input, and what is
printed as JSON on standard output is the task's output. A non-zero exit code fails the attempt."""

import collections
import json
import sys


def count(task):
    words = task["text"].lower().split()
    return {"words": len(words), "counts": collections.Counter(words)}


def report(task):
    total = collections.Counter()
    for text in task["counts"]:
        total.update(text["counts"])
    return {
        "texts": len(task["counts"]),
        "words": sum(text["words"] for text in task["counts"]),
        "most_common": [{"word": word, "count": n} for word, n in total.most_common(3)],
    }


if __name__ == "__main__":
    agent = {"count": count, "report": report}[sys.argv[1]]
    json.dump(agent(json.load(sys.stdin)), sys.stdout)
)";

constexpr std::string_view kIgnored = "/.ganglion/\n";

struct NewFile {
  std::string_view name, text;
};

Outcome<void> write_file(const std::filesystem::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) return give_up(ExitCode::usage, "can't write " + path.string() + ": " + std::strerror(errno));
  return {};
}

}  // namespace

Outcome<ExitCode> execute(const InitCommand& command, const HostFactory&) {
  const std::filesystem::path directory(command.directory);
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return give_up(ExitCode::usage, "can't make " + command.directory + ": " + error.message());
  constexpr NewFile kFiles[] = {{kDefaultProject, kProject}, {"agents.py", kAgents}};
  for (const NewFile& file : kFiles) {
    if (std::filesystem::exists(directory / file.name, error)) {
      return give_up(ExitCode::usage,
                     (directory / file.name).string() + " is there already; nothing was changed");
    }
  }
  for (const NewFile& file : kFiles) {
    if (auto written = write_file(directory / file.name, file.text); !written)
      return std::unexpected(written.error());
  }
  // Where there is one it is the user's own.
  if (!std::filesystem::exists(directory / ".gitignore", error)) {
    if (auto written = write_file(directory / ".gitignore", kIgnored); !written)
      return std::unexpected(written.error());
  }
  const std::string enter = command.directory == "." ? "" : "  cd " + command.directory + "\n";
  write(Stream::output,
        "Made ganglion.yaml (agents and a workflow) and agents.py (what the agents do). Next:\n" + enter +
            "  ganglion run word-count\n"
            "  ganglion run word-count --input '{\"texts\": [\"to be or not to be\"]}'\n"
            "  ganglion validate --graph\n"
            "  ganglion runs list\n");
  return ExitCode::done;
}

}  // namespace ganglion::cli
