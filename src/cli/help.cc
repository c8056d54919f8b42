#include "cli/help.h"

#include <array>

namespace ganglion::cli {
namespace {

struct Help {
  std::string_view command, about, examples;
};

constexpr auto kHelp = std::to_array<Help>({
    {"",
     "Coordinates multi-agent work durably: agents and workflows are declared in ganglion.yaml, every step "
     "is stored before "
     "it has an effect, and a run that was interrupted goes on where it was.",
     "Start here:\n"
     "  ganglion init demo && cd demo      a small project that runs at once\n"
     "  ganglion run word-count            run its workflow, here, without a server\n"
     "  ganglion serve                     the server: HTTP API, workers, every run\n"
     "  ganglion COMMAND --help            what a command takes, with examples\n\n"
     "Exit codes: 0 done, 1 the run failed or was cancelled, 2 bad usage or an invalid file,\n"
     "3 no server or store, 130 interrupted (the run itself goes on)."},
    {"init", "Makes a small project that runs at once; it needs python3 and nothing else.",
     "Examples:\n"
     "  ganglion init                      in this directory\n"
     "  ganglion init demo                 in ./demo"},
    {"validate", "Checks a project file and tells every error in it, with line and column.",
     "Examples:\n"
     "  ganglion validate                  ./ganglion.yaml\n"
     "  ganglion validate --graph          and print the steps of each workflow, by level\n"
     "  ganglion validate new.yaml --server http://127.0.0.1:7420   which open runs it would leave behind\n"
     "  ganglion validate --json old.yaml  for a program: {valid, errors, workflows}"},
    {"run",
     "Runs a workflow to its end and prints its output. Without a server it runs here, in an engine of this "
     "process, as "
     "durably as on one: Ctrl-C, then `ganglion resume RUN`, goes on.",
     "Examples:\n"
     "  ganglion run word-count\n"
     "  ganglion run word-count --input '{\"texts\": [\"to be or not to be\"]}'\n"
     "  ganglion run review -f ci.yaml --input @change.json --label branch=main\n"
     "  ganglion run review --server http://127.0.0.1:7420 --detach"},
    {"resume", "Takes up a run again, follows it to its end and prints its output; a paused run is resumed.",
     "Examples:\n"
     "  ganglion resume 01K8ZJ3V5Q0000000000000000\n"
     "  ganglion resume 01K8ZJ3V5Q0000000000000000 --json"},
    {"serve",
     "Serves a project: the HTTP API, the coordinator and the agents of the project, with its workers. "
     "SIGTERM or "
     "Ctrl-C stops it; "
     "open runs go on at the next start. SIGHUP reads the project file again; one with errors changes "
     "nothing.",
     "Examples:\n"
     "  ganglion serve                                       ./ganglion.yaml at 127.0.0.1:7420\n"
     "  ganglion serve -f prod.yaml --listen 127.0.0.1:8000\n"
     "  GANGLION_TOKEN=... ganglion serve --listen 0.0.0.0:7420\n"
     "  ganglion serve --store redis://10.0.0.5              everything is kept in Redis\n"
     "  GANGLION_STORE=postgres://... GANGLION_BUS=amqp://... ganglion serve --roles coordinator,agents\n"
     "  ganglion serve --store redis://10.0.0.5 --domain review,billing   runs of two domains alone\n"
     "  ganglion serve --store redis://10.0.0.5 --audit postgres://10.0.0.6/audit   journals as rows, too\n"
     "  ganglion serve --store memory:                       nothing is kept: for trying out"},
    {"runs", "Lists, shows and steers runs.",
     "Examples:\n"
     "  ganglion runs list --status failed\n"
     "  ganglion runs show RUN\n"
     "  ganglion runs retry RUN            a failed run goes on from what had failed"},
    {"runs list", "Lists runs, newest first.",
     "Examples:\n"
     "  ganglion runs list\n"
     "  ganglion runs list --workflow review --status failed --limit 10\n"
     "  ganglion runs list --label branch=main --json\n"
     "  ganglion runs list --parent RUN    the runs that its steps have started"},
    {"runs show", "Shows a run: its steps, what they took and what came out.",
     "Examples:\n"
     "  ganglion runs show RUN\n"
     "  ganglion runs show RUN --json      as GET /v1/runs/RUN"},
    {"runs journal", "Shows the journal of a run: every event, in order.",
     "Examples:\n"
     "  ganglion runs journal RUN\n"
     "  ganglion runs journal RUN --follow\n"
     "  ganglion runs journal RUN --after 40 --json"},
    {"runs cancel", "Ends a run; what is under way is told, nothing new starts.",
     "Examples:\n  ganglion runs cancel RUN\n  ganglion runs cancel RUN --json"},
    {"runs pause", "Holds a run: what is under way may end, nothing new starts.",
     "Examples:\n  ganglion runs pause RUN\n  ganglion runs pause RUN --server http://127.0.0.1:7420"},
    {"runs resume", "Lets a paused run go on. `ganglion resume RUN` also follows it to its end.",
     "Examples:\n  ganglion runs resume RUN\n  ganglion runs resume RUN --json"},
    {"runs retry", "Lets a failed or cancelled run go on from what had failed; what is done stays done.",
     "Examples:\n  ganglion runs retry RUN\n  ganglion runs retry RUN && ganglion resume RUN"},
    {"runs fork",
     "Starts a new run that shares the journal of this one up to where a step began, and does that step and "
     "what needs it again.",
     "Examples:\n"
     "  ganglion runs fork RUN --from review\n"
     "  ganglion runs fork RUN --from scan --input @other.json\n"
     "  ganglion resume $(ganglion runs fork RUN --from scan --json | jq -r .id)"},
    {"runs signal", "Sends a run the signal that one of its steps waits for, or will wait for.",
     "Examples:\n"
     "  ganglion runs signal RUN go-on\n"
     "  ganglion runs signal RUN paid --data '{\"amount\": 12}'"},
    {"replay",
     "Folds the journal of a run again, offline, with the project file that it started with, and shows each "
     "change.",
     "Examples:\n"
     "  ganglion replay RUN\n"
     "  ganglion replay RUN --until 12     the state at that moment\n"
     "  ganglion replay RUN --json"},
    {"tax",
     "Shows what coordination has cost a run: how long it took beside the agents' own work, by parts, with "
     "the steps that "
     "decided how long it took.",
     "Examples:\n"
     "  ganglion tax                       of the newest run\n"
     "  ganglion tax RUN --json            as GET /v1/runs/RUN/tax\n"
     "  ganglion tax --workflow review     averages over its last runs"},
    {"agents", "Lists agents: what waits for them, what they have in hand, their workers and limits.",
     "Examples:\n"
     "  ganglion agents\n"
     "  ganglion agents reviewer\n"
     "  ganglion agents --json"},
    {"approvals", "Lists what waits for a person, and takes decisions.",
     "Examples:\n"
     "  ganglion approvals list\n"
     "  ganglion approvals approve RUN/STEP --by alice\n"
     "  ganglion approvals reject RUN/STEP --comment 'not on a Friday'"},
    {"approvals list", "Lists approvals and tasks of human agents that nobody has decided yet.",
     "Examples:\n"
     "  ganglion approvals list\n"
     "  ganglion approvals list --run RUN --json"},
    {"approvals approve",
     "Shows what would be approved, asks, and approves exactly that: if something else stands there by then, "
     "nothing is decided.",
     "Examples:\n"
     "  ganglion approvals approve RUN/STEP --by alice --comment 'as discussed'\n"
     "  ganglion approvals approve ID --output '{\"label\": \"spam\"}'   answers the task of a human agent\n"
     "  ganglion approvals approve ID --digest DIGEST                  without a question: what was seen "
     "before"},
    {"approvals reject", "Shows what would be rejected, asks, and rejects it: the step fails.",
     "Examples:\n"
     "  ganglion approvals reject RUN/STEP --by alice --comment 'too expensive'\n"
     "  ganglion approvals reject ID --yes"},
    {"dlq",
     "Lists dead letters, puts them back to work or removes them: tasks and events that failed for good.",
     "Examples:\n"
     "  ganglion dlq list\n"
     "  ganglion dlq requeue ID\n"
     "  ganglion dlq purge --all"},
    {"dlq list", "Lists dead letters, with what went wrong.",
     "Examples:\n"
     "  ganglion dlq list\n"
     "  ganglion dlq list --run RUN --kind task\n"
     "  ganglion dlq list --json           with the whole input or event"},
    {"dlq requeue", "Tries dead letters again: a task's run goes on from it, an event is published again.",
     "Examples:\n"
     "  ganglion dlq requeue ID\n"
     "  ganglion dlq requeue ID ID --json\n"
     "  ganglion dlq requeue --all"},
    {"dlq purge", "Removes dead letters; their runs stay as they are.",
     "Examples:\n"
     "  ganglion dlq purge ID\n"
     "  ganglion dlq purge --all --yes"},
    {"events", "Follows the event log, and publishes events.",
     "Examples:\n"
     "  ganglion events tail --topic 'file.*'\n"
     "  ganglion events publish file.added --data '{\"path\": \"a.md\"}'"},
    {"events tail",
     "Shows the last events and then each new one, with its source and what caused it; after a lost "
     "connection it goes on where it was.",
     "Examples:\n"
     "  ganglion events tail\n"
     "  ganglion events tail --topic 'order.**' -n 100 --no-follow\n"
     "  ganglion events tail --after 1200 --json"},
    {"events publish", "Publishes an event; done once it is durable.",
     "Examples:\n"
     "  ganglion events publish file.added --data '{\"path\": \"a.md\"}'\n"
     "  ganglion events publish order.paid --data @order.json --source /shop --id order-17\n"
     "  ganglion events publish order.paid --data - --subject 17 --topic-version 2"},
    {"sim",
     "Runs a project in a simulation: the real engine under virtual time, with agents, arrivals and faults "
     "as a scenario says, over many seeds. Of a seed that fails it tells the few events that the failure "
     "needs, and the command that shows it again.",
     "Examples:\n"
     "  ganglion sim simulation.yaml                       a hundred seeds\n"
     "  ganglion sim simulation.yaml --seeds 10000 --junit report.xml\n"
     "  ganglion sim simulation.yaml --seed 42 --timeline  the story of one\n"
     "  ganglion sim engine --seeds 1000                   the engine itself, with everything that can "
     "break"},
    {"bench",
     "Loads a server and measures it: throughput, latency of runs and of what coordination adds to a step, "
     "and "
     "what the server uses for it. Each row has a fresh server with a fresh store, beside what the disk "
     "allows "
     "at that moment; agents do nothing but answer.",
     "Examples:\n"
     "  ganglion bench                                       a pipeline of three steps, 1, 64 and 500 "
     "clients\n"
     "  ganglion bench --workload all --clients 64 --svg bench.svg\n"
     "  ganglion bench --rate 500,1000,2000                  an open loop: latency from when a run was due\n"
     "  ganglion bench --trace calls.json --speedup 50       recorded model calls, fifty times faster\n"
     "  ganglion bench --server http://10.0.0.5:7420 --json  another machine's server, without a project\n"
     "  ganglion bench --folder /dev/shm                     what is left is not the disk's\n"
     "  ganglion bench --strategy all --store redis://HOST   strategies, and what a crash costs each\n\n"
     "Exit codes: 0 measured, 1 runs failed or were lost, 2 bad usage, 3 no server, 130 interrupted."},
    {"eval",
     "Evaluates an expression (CEL, as in `${{ }}`) and prints its typed value, or runs test vectors.",
     "Examples:\n"
     "  ganglion eval '1 + 2'\n"
     "  ganglion eval 'input.files.filter(f, f.endsWith(\".py\"))' --bindings '{\"input\": {\"files\": "
     "[\"a.py\"]}}'\n"
     "  ganglion eval 'size(steps.scan.output) > 0' --bindings @state.json\n"
     "  ganglion eval --vectors tests.jsonl"},
    {"completion", "Prints the completion script of a shell.",
     "Examples:\n"
     "  source <(ganglion completion bash)\n"
     "  ganglion completion zsh > ~/.zfunc/_ganglion\n"
     "  ganglion completion fish > ~/.config/fish/completions/ganglion.fish"},
    {"version", "Prints the version.", "Examples:\n  ganglion version\n  ganglion version --json"},
});

constexpr Help kNone{};

const Help& help_of(std::string_view command) {
  for (const Help& help : kHelp) {
    if (help.command == command) return help;
  }
  return kNone;
}

}  // namespace

std::string_view about(std::string_view command) {
  return help_of(command).about;
}

std::string_view examples(std::string_view command) {
  return help_of(command).examples;
}

}  // namespace ganglion::cli
