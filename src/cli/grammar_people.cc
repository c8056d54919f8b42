// The commands about what people look after: agents, approvals, dead letters, events.

#include "cli/grammar.h"

namespace ganglion::cli {

void Grammar::add_agents() {
  CLI::App& agents = add_plain(app_, "agents", agents_);
  agents.add_option("NAME", agents_.name, "One agent, with its details")->type_name("");
  add_target(agents, agents_.target);
  add_json(agents, "Print JSON: a list, or the agent");
}

void Grammar::add_approvals() {
  CLI::App& approvals = add_group("approvals");
  CLI::App& list = add_plain(approvals, "list", approvals_);
  list.add_option("--run", approvals_.run, "Only those of this run")->type_name("RUN");
  add_target(list, approvals_.target);
  add_json(list, "Print a JSON list");
  for (const char* verb : {"approve", "reject"}) add_approvals_verb(approvals, verb);
}

void Grammar::add_approvals_verb(CLI::App& approvals, const char* verb) {
  ApprovalsDecideCommand& command = decisions_.emplace_back();
  command.decision = verb;
  CLI::App& parser = add_plain(approvals, verb, command);
  parser.add_option("APPROVAL", command.approval, "Its id; or RUN or RUN/STEP, where that leaves no other")
      ->required()
      ->type_name("");
  parser.add_option("--by", command.by, "Who decides; needed where the step names people")->type_name("NAME");
  parser.add_option("--comment", command.comment, "Why")->type_name("TEXT");
  if (command.decision == "approve") {
    parser.add_option("--output", command.output, "The answer to a human agent's task: JSON, @FILE, or -")
        ->type_name("JSON");
  }
  parser
      .add_option("--digest", command.digest,
                  "Only if exactly this is to be decided: the digest from a listing; asks nothing")
      ->type_name("DIGEST");
  parser.add_flag("--yes", command.yes, "Ask nothing: decide on what is listed now");
  add_target(parser, command.target);
  add_json(parser, "Print the decision as JSON");
}

void Grammar::add_selection(CLI::App& command, DlqSelection& selection) {
  command.add_option("ID", selection.ids, "Ids of dead letters")->type_name("");
  command.add_flag("--all", selection.all, "All of them");
}

void Grammar::add_dlq() {
  CLI::App& dlq = add_group("dlq");
  CLI::App& list = add_plain(dlq, "list", dead_letters_);
  list.add_option("--run", dead_letters_.run, "Only those of this run")->type_name("RUN");
  list.add_option("--kind", dead_letters_.kind, "task or event")
      ->type_name("KIND")
      ->check(CLI::IsMember({"task", "event"}).description(""));
  add_limit(list, dead_letters_.limit);
  add_target(list, dead_letters_.target);
  add_json(list, "Print a JSON list");

  const auto checked = [this](const char* verb, const DlqSelection& selection,
                              auto& command) -> std::expected<Command, Notice> {
    if (selection.all == !selection.ids.empty()) {
      return std::unexpected(Notice{
          kUsage,
          "dlq " + std::string(verb) + " takes either ids or --all; see `ganglion dlq " + verb + " --help`"});
    }
    command.format = format();
    return Command(command);
  };
  CLI::App& requeue =
      add(dlq, "requeue", [this, checked] { return checked("requeue", requeue_.selection, requeue_); });
  add_selection(requeue, requeue_.selection);
  add_target(requeue, requeue_.target);
  add_json(requeue, "Print what became of each, as a JSON list");

  CLI::App& purge = add(dlq, "purge", [this, checked] { return checked("purge", purge_.selection, purge_); });
  add_selection(purge, purge_.selection);
  purge.add_flag("--yes", purge_.yes, "Ask nothing");
  add_target(purge, purge_.target);
  add_json(purge, "Print {purged} as JSON");
}

void Grammar::add_events() {
  CLI::App& events = add_group("events");
  CLI::App& tail = add(events, "tail", [this]() -> std::expected<Command, Notice> {
    tail_.format = format();
    tail_.follow = !raw_.no_follow;
    return Command(tail_);
  });
  tail.add_option("--topic", tail_.topic, "Only types like this: file.*, order.**")->type_name("PATTERN");
  tail.add_option("-n,--last", tail_.last, "Begin with so many of the past (default 10)")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{0}, kMaxListed).description(""));
  tail.add_option("--after", tail_.after, "Begin after the event of this number")->type_name("SEQ");
  tail.add_flag("--no-follow", raw_.no_follow, "Don't wait for more");
  add_target(tail, tail_.target);
  add_json(tail, "Print one JSON object a line");

  CLI::App& publish = add_plain(events, "publish", publish_);
  publish.add_option("TYPE", publish_.type, "The topic, such as file.added")->required()->type_name("");
  publish.add_option("--data", publish_.data, "What it says: JSON, @FILE, or -")->type_name("JSON");
  publish.add_option("--source", publish_.source, "Where it comes from (default /ganglion/cli)")
      ->type_name("URI");
  publish.add_option("--id", publish_.id, "With the source its name: the same one again changes nothing")
      ->type_name("ID");
  publish.add_option("--subject", publish_.subject, "What it is about")->type_name("TEXT");
  publish
      .add_option("--topic-version", publish_.topic_version,
                  "Version of the topic's schema (default: the latest)")
      ->type_name("N");
  add_target(publish, publish_.target);
  add_json(publish, "Print {source, id, seq, duplicate, dead_lettered}");
}

}  // namespace ganglion::cli
