#include "cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "cli/completion.h"
#include "cli/help.h"

namespace ganglion::cli {
namespace {

std::expected<Command, Notice> read(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "ganglion");
  return read_command_line(static_cast<int>(arguments.size()), arguments.data());
}

TEST(CommandLine, reads_a_run_with_everything) {
  const auto command = read({"run", "review", "-f", "ci.yaml", "--input", "-", "--server", "http://x",
                             "--session", "s", "--label", "a=1", "--label", "b=x=y", "--detach", "--json"});
  ASSERT_TRUE(command) << command.error().text;
  const auto& run = std::get<RunCommand>(*command);
  EXPECT_EQ(run.workflow, "review");
  EXPECT_EQ(run.file, "ci.yaml");
  EXPECT_EQ(run.input, "-");
  EXPECT_EQ(run.target.server, "http://x");
  EXPECT_EQ(run.session, "s");
  EXPECT_EQ(run.labels, (std::map<std::string, std::string>{{"a", "1"}, {"b", "x=y"}}));
  EXPECT_TRUE(run.detach);
  EXPECT_EQ(run.format, Format::json);
}

TEST(CommandLine, a_label_takes_one_word_and_leaves_the_workflow) {
  const auto command = read({"run", "--label", "a=1", "review"});
  ASSERT_TRUE(command) << command.error().text;
  EXPECT_EQ(std::get<RunCommand>(*command).workflow, "review");
}

TEST(CommandLine, every_verb_of_runs_is_its_own_command) {
  for (const char* verb : {"cancel", "pause", "resume", "retry"}) {
    const auto command = read({"runs", verb, "01K"});
    ASSERT_TRUE(command) << command.error().text;
    EXPECT_EQ(std::get<RunsVerbCommand>(*command).verb, verb);
    EXPECT_EQ(std::get<RunsVerbCommand>(*command).run, "01K");
  }
}

TEST(CommandLine, reads_a_decision_with_everything) {
  const auto command = read({"approvals", "approve", "01K/review", "--by", "alice", "--comment", "fine",
                             "--output", "{}", "--digest", "d", "--json"});
  ASSERT_TRUE(command) << command.error().text;
  const auto& decision = std::get<ApprovalsDecideCommand>(*command);
  EXPECT_EQ(decision.decision, "approve");
  EXPECT_EQ(decision.approval, "01K/review");
  EXPECT_EQ(decision.by, "alice");
  EXPECT_EQ(decision.comment, "fine");
  EXPECT_EQ(decision.output, "{}");
  EXPECT_EQ(decision.digest, "d");
  EXPECT_FALSE(decision.yes);
  EXPECT_EQ(decision.format, Format::json);
  EXPECT_FALSE(read({"approvals", "reject", "01K/review", "--output", "{}"})) << "a rejection has none";
}

TEST(CommandLine, dead_letters_are_named_or_all_of_them) {
  for (const char* verb : {"requeue", "purge"}) {
    EXPECT_TRUE(read({"dlq", verb, "a", "b"}));
    EXPECT_TRUE(read({"dlq", verb, "--all"}));
    EXPECT_FALSE(read({"dlq", verb})) << "not all of them by mistake";
    EXPECT_FALSE(read({"dlq", verb, "a", "--all"}));
  }
}

TEST(CommandLine, reads_what_is_to_be_published_and_followed) {
  const auto published = read({"events", "publish", "a.b", "--data", "-", "--source", "/s", "--id", "1",
                               "--subject", "x", "--topic-version", "2"});
  ASSERT_TRUE(published) << published.error().text;
  const auto& draft = std::get<EventsPublishCommand>(*published);
  EXPECT_EQ(draft.type, "a.b");
  EXPECT_EQ(draft.data, "-");
  EXPECT_EQ(draft.source, "/s");
  EXPECT_EQ(draft.id, "1");
  EXPECT_EQ(draft.subject, "x");
  EXPECT_EQ(draft.topic_version, 2u);
  const auto tailed = read({"events", "tail", "--topic", "a.*", "-n", "0", "--no-follow"});
  ASSERT_TRUE(tailed) << tailed.error().text;
  EXPECT_EQ(std::get<EventsTailCommand>(*tailed).topic, "a.*");
  EXPECT_EQ(std::get<EventsTailCommand>(*tailed).last, 0u);
  EXPECT_FALSE(std::get<EventsTailCommand>(*tailed).follow);
}

TEST(CommandLine, tax_is_of_a_run_or_of_a_workflow) {
  EXPECT_TRUE(read({"tax"}));
  EXPECT_TRUE(read({"tax", "01K"}));
  EXPECT_TRUE(read({"tax", "--workflow", "w"}));
  EXPECT_FALSE(read({"tax", "01K", "--workflow", "w"}));
}

TEST(CommandLine, a_fork_needs_its_step_and_a_signal_its_name) {
  EXPECT_TRUE(read({"runs", "fork", "01K", "--from", "a", "--input", "{}"}));
  EXPECT_FALSE(read({"runs", "fork", "01K"}));
  EXPECT_TRUE(read({"runs", "signal", "01K", "go", "--data", "1"}));
  EXPECT_FALSE(read({"runs", "signal", "01K"}));
}

TEST(CommandLine, an_expression_that_begins_with_a_minus_comes_after_two) {
  const auto command = read({"eval", "--", "-1 + 2"});
  ASSERT_TRUE(command) << command.error().text;
  EXPECT_EQ(std::get<EvalCommand>(*command).expression, "-1 + 2");
}

TEST(CommandLine, a_word_that_is_no_command_gets_a_suggestion) {
  const auto first = read({"aprovals"});
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().text,
            "no command \"aprovals\"; did you mean \"approvals\"?; see `ganglion --help`");
  const auto second = read({"dlq", "requeu", "x"});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().text,
            "no command \"dlq requeu\"; did you mean \"requeue\"?; see `ganglion dlq --help`");
}

TEST(CommandLine, every_command_has_a_sentence_and_two_examples) {
  for (const CommandSpec& spec : command_specs()) {
    std::string path;
    for (const std::string& word : spec.words) path += (path.empty() ? "" : " ") + word;
    EXPECT_FALSE(about(path).empty()) << path;
    const std::string_view shown = examples(path);
    EXPECT_GE(std::ranges::count(shown, '\n'), 2) << path;
  }
}

TEST(CommandLine, a_bench_without_words_is_a_closed_loop_of_the_pipeline) {
  const auto command = read({"bench"});
  ASSERT_TRUE(command) << command.error().text;
  const auto& bench = std::get<BenchCommand>(*command);
  EXPECT_THAT(bench.workloads, testing::ElementsAre("pipeline"));
  EXPECT_THAT(bench.clients, testing::ElementsAre(1, 64, 500));
  EXPECT_TRUE(bench.rates.empty());
  EXPECT_EQ(bench.duration_ms, 8'000);
  EXPECT_EQ(bench.warmup_ms, 2'000);
}

TEST(CommandLine, reads_a_bench_with_lists) {
  const auto command = read({"bench", "--workload", "fanout,diamond", "--trace", "a.json", "--trace",
                             "b.json", "--rate", "0.5,100/s", "--duration", "2m", "--warmup", "0s"});
  ASSERT_TRUE(command) << command.error().text;
  const auto& bench = std::get<BenchCommand>(*command);
  EXPECT_THAT(bench.workloads, testing::ElementsAre("fanout", "diamond"));
  EXPECT_THAT(bench.traces, testing::ElementsAre("a.json", "b.json"));
  EXPECT_THAT(bench.rates, testing::ElementsAre(0.5, 100));
  EXPECT_THAT(bench.clients, testing::ElementsAre(500));
  EXPECT_EQ(bench.duration_ms, 120'000);
  const auto only_a_trace = read({"bench", "--trace", "a.json"});
  ASSERT_TRUE(only_a_trace);
  EXPECT_TRUE(std::get<BenchCommand>(*only_a_trace).workloads.empty());
  EXPECT_EQ(std::get<BenchCommand>(read({"bench", "--workload", "all"}).value()).workloads.size(), 5u);
}

TEST(CommandLine, a_bench_of_strategies_has_several_coordinators_where_they_can_share) {
  const auto alone = read({"bench", "--strategy", "all"});
  ASSERT_TRUE(alone) << alone.error().text;
  const auto& one = std::get<BenchCommand>(*alone);
  EXPECT_THAT(one.strategies, testing::ElementsAre("centralized", "mesh", "hierarchical", "swarm"));
  EXPECT_THAT(one.coordinators, testing::ElementsAre(1));
  EXPECT_THAT(one.clients, testing::ElementsAre(500));
  EXPECT_TRUE(one.workloads.empty());
  EXPECT_EQ(one.in_flight, 1'200u);
  const auto shared = read({"bench", "--strategy", "mesh,swarm", "--store", "redis://a"});
  ASSERT_TRUE(shared) << shared.error().text;
  EXPECT_THAT(std::get<BenchCommand>(*shared).strategies, testing::ElementsAre("mesh", "swarm"));
  EXPECT_THAT(std::get<BenchCommand>(*shared).coordinators, testing::ElementsAre(1, 3));
  const auto five = read({"bench", "--strategy", "mesh", "--store", "postgres://a/b", "--bus", "amqp://a",
                          "--coordinators", "2,5", "--clients", "7"});
  ASSERT_TRUE(five) << five.error().text;
  EXPECT_THAT(std::get<BenchCommand>(*five).coordinators, testing::ElementsAre(2, 5));
  EXPECT_THAT(std::get<BenchCommand>(*five).clients, testing::ElementsAre(7));
  EXPECT_EQ(std::get<BenchCommand>(*five).bus, "amqp://a");
}

TEST(CommandLine, refuses_a_bench_of_strategies_that_have_no_bus) {
  const std::vector<std::pair<std::vector<const char*>, const char*>> cases = {
      {{"bench", "--strategy", "mash"}, "did you mean \"mesh\""},
      {{"bench", "--coordinators", "3"}, "--strategy all"},
      {{"bench", "--bus", "redis://a"}, "--strategy all"},
      {{"bench", "--strategy", "all", "--coordinators", "3"}, "a bus"},
      {{"bench", "--strategy", "all", "--store", "postgres://a/b", "--coordinators", "2"}, "a bus"},
      {{"bench", "--strategy", "all", "--bus", "redis://a"}, "nobody to talk to"},
      {{"bench", "--strategy", "all", "--store", "redis://a", "--bus", "zmq://a"}, "--bus zmq://a"},
      {{"bench", "--strategy", "all", "--server", "http://a"}, "leave out"},
      {{"bench", "--strategy", "all", "--coordinators", "17"}, "--coordinators"}};
  for (const auto& [words, what] : cases) {
    const auto command = read(words);
    ASSERT_FALSE(command) << what;
    EXPECT_THAT(command.error().text, testing::HasSubstr(what));
  }
}

TEST(CommandLine, any_words_are_a_command_or_a_notice) {
  rc::check([](const std::vector<std::string>& words) {
    std::vector<std::string> kept;
    for (const std::string& word : words) kept.push_back(word.substr(0, word.find('\0')));
    std::vector<const char*> arguments = {"run"};
    for (const std::string& word : kept) arguments.push_back(word.c_str());
    const auto command = read(arguments);
    RC_ASSERT(command.has_value() || !command.error().text.empty());
  });
}

TEST(Completion, each_shell_knows_every_command) {
  const auto specs = command_specs();
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = completion_script(shell, specs);
    for (const char* word :
         {"validate", "journal", "retry", "fish", "approve", "requeue", "tail", "tax", "signal"}) {
      EXPECT_THAT(script, testing::HasSubstr(word)) << shell;
    }
    EXPECT_THAT(script, testing::HasSubstr("domain"));
  }
}

}  // namespace
}  // namespace ganglion::cli
