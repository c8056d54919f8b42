// Agents of a simulation answer by their script, and have bad luck only where they are told to.

#include "sim/scenario/agent_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/scenario/scenario_testing.h"

namespace ganglion::scenario {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Call call(std::string input, std::uint32_t attempt = 1) {
  return {.place = {"order", "scan", std::nullopt, 1},
          .input = Payload(std::move(input)),
          .attempt = attempt,
          .idempotency_key = "run/0/0",
          .at = milliseconds(5'000)};
}

Answer ask(AgentScript& script, std::string input, const Luck& luck = {}, std::uint64_t seed = 1) {
  return script.answer(call(std::move(input)), luck, Draws(seed));
}

std::string output_of(const Answer& answer) {
  const auto* success = std::get_if<TaskSuccess>(&answer.outcome);
  return success == nullptr ? "" : std::string(success->output.bytes());
}

std::string failure_of(const Answer& answer) {
  const auto* failure = std::get_if<TaskFailure>(&answer.outcome);
  return failure == nullptr ? "" : failure->code + ": " + failure->message;
}

const std::string kStock = R"({key: "${{ input.sku }}", state: {left: 3}, script: [
  {when: "${{ state.left < input.qty }}", output: {reserved: false}},
  {output: {reserved: true, left: "${{ state.left - input.qty }}"}, set: {left: "${{ state.left - input.qty }}"}}]})";

TEST(AgentScript, answers_with_the_first_entry_that_holds) {
  const AgentModel model = agent_with(R"({script: [
    {when: "${{ input.n > 3 }}", output: many}, {when: "${{ input.n > 1 }}", output: some}, {output: few}]})");
  AgentScript script(model);
  EXPECT_EQ(output_of(ask(script, R"({"n":4})")), R"("many")");
  EXPECT_EQ(output_of(ask(script, R"({"n":2})")), R"("some")");
  EXPECT_EQ(output_of(ask(script, R"({"n":0})")), R"("few")");
}

TEST(AgentScript, keeps_a_state_for_each_key) {
  const AgentModel model = agent_with(kStock);
  AgentScript script(model);
  EXPECT_EQ(output_of(ask(script, R"({"sku":"a","qty":2})")), R"({"reserved":true,"left":1})");
  EXPECT_EQ(output_of(ask(script, R"({"sku":"b","qty":3})")), R"({"reserved":true,"left":0})");
  EXPECT_EQ(output_of(ask(script, R"({"sku":"a","qty":2})")), R"({"reserved":false})");
  EXPECT_EQ(output_of(ask(script, R"({"sku":"a","qty":1})")), R"({"reserved":true,"left":0})");
}

TEST(AgentScript, sees_the_call_and_what_came_before) {
  const AgentModel model = agent_with(
      R"({script: [{output: ["${{ attempt }}", "${{ iteration }}", "${{ calls }}", "${{ at_ms }}"]}]})");
  AgentScript script(model);
  EXPECT_EQ(output_of(script.answer(call("{}", 1), {}, Draws(1))), "[1,1,0,5000]");
  EXPECT_EQ(output_of(script.answer(call("{}", 2), {}, Draws(1))), "[2,1,1,5000]");
}

TEST(AgentScript, draws_the_same_for_the_same_draws) {
  const AgentModel model =
      agent_with(R"({latency: {p50: 80ms, p99: 900ms}, usage: {tokens: {min: 200, max: 900}},
    script: [{output: "${{ random.x }}"}]})");
  AgentScript one(model);
  AgentScript other(model);
  const Answer first = ask(one, "{}");
  const Answer second = ask(other, "{}");
  EXPECT_EQ(first.after, second.after);
  EXPECT_EQ(output_of(first), output_of(second));
  EXPECT_NE(output_of(first), output_of(ask(one, "{}", {}, 2)));
}

TEST(AgentScript, without_entries_answers_an_empty_object_within_50_ms) {
  const AgentModel model{.name = "scan"};
  AgentScript script(model);
  const Answer answer = ask(script, "{}");
  EXPECT_EQ(output_of(answer), "{}");
  EXPECT_GE(answer.after, milliseconds(10));
  EXPECT_LE(answer.after, milliseconds(50));
  EXPECT_FALSE(answer.effect_key);
}

TEST(AgentScript, reports_usage_within_its_range) {
  const AgentModel model = agent_with("{usage: {tokens: {min: 200, max: 202}, usd: 0.002}}");
  AgentScript script(model);
  const Answer answer = ask(script, "{}");
  EXPECT_THAT(std::string(std::get<TaskSuccess>(answer.outcome).usage->bytes()),
              ::testing::MatchesRegex(R"(\{"tokens":20[012],"usd":0.002\})"));
}

TEST(AgentScript, fails_hangs_and_talks_nonsense_by_script) {
  const AgentModel model = agent_with(R"({script: [
    {when: "${{ input == 1 }}", error: {code: no_route, message: "no way to ${{ input }}", retryable: false}},
    {when: "${{ input == 2 }}", hang: true, latency: 3s},
    {garbage: true}]})");
  AgentScript script(model);
  const Answer failed = ask(script, "1");
  EXPECT_EQ(failure_of(failed), "no_route: no way to 1");
  EXPECT_FALSE(std::get<TaskFailure>(failed.outcome).retryable);
  EXPECT_FALSE(failed.mistake);
  EXPECT_TRUE(std::holds_alternative<Hung>(ask(script, "2").outcome));
  EXPECT_NE(output_of(ask(script, "3")), "");
}

TEST(AgentScript, publishes_and_writes_the_session_with_its_result) {
  const AgentModel model =
      agent_with(R"({script: [{output: 1, publish: [{topic: file.scanned, data: "${{ input }}"}],
    session: {case.status: done, case.draft: null}}]})");
  AgentScript script(model);
  const auto success = std::get<TaskSuccess>(ask(script, "7").outcome);
  ASSERT_EQ(success.events.size(), 1u);
  EXPECT_EQ(success.events[0].topic, "file.scanned");
  EXPECT_EQ(success.events[0].data, Payload("7"));
  ASSERT_EQ(success.state.size(), 2u);
  EXPECT_EQ(success.state[0].value, Payload(R"("done")"));
  EXPECT_EQ(success.state[1].value, std::nullopt);
}

TEST(AgentScript, says_what_is_wrong_with_itself) {
  const AgentModel model = agent_with(R"({script: [{when: "${{ input.n > 1 }}", output: "${{ 1 / 0 }}"}]})");
  AgentScript script(model);
  EXPECT_THAT(*ask(script, R"({"n":0})").mistake,
              HasSubstr("agent scan: no entry of its script holds for the input {\"n\":0}"));
  EXPECT_THAT(failure_of(ask(script, R"({"n":2})")), HasSubstr("scenario_mistake: agent scan: "));
  EXPECT_TRUE(ask(script, "{}").mistake);
}

TEST(Luck, is_drawn_by_the_rates) {
  const AgentModel never = agent_with("{}");
  const AgentModel always = agent_with("{errors: 1, hang: 1, garbage: 1, slow: 1, duplicate: 1, crash: 1}");
  EXPECT_EQ(draw_luck(never, Draws(1)), Luck());
  EXPECT_EQ(draw_luck(always, Draws(1)), (Luck{true, true, true, true, true, true}));
  const AgentModel sometimes = agent_with("{hang: 0.25}");
  int hangs = 0;
  for (std::uint64_t i = 0; i < 10'000; ++i) hangs += draw_luck(sometimes, Draws(i)).hang ? 1 : 0;
  EXPECT_NEAR(hangs, 2'500, 200);
}

TEST(Luck, can_be_switched_off_without_changing_the_rest) {
  const AgentModel model =
      agent_with("{latency: {p50: 80ms, p99: 900ms}, script: [{output: \"${{ random.x }}\"}]}");
  AgentScript script(model);
  const Answer plain = ask(script, "{}");
  const Answer twice = ask(script, "{}", {.duplicate = true});
  EXPECT_EQ(plain.after, twice.after);
  EXPECT_EQ(output_of(plain), output_of(twice));
  EXPECT_TRUE(twice.duplicate);
  EXPECT_EQ(ask(script, "{}", {.slow = true}).after, plain.after * 10);
}

TEST(Luck, of_an_error_or_a_hang_leaves_the_state_as_it_was) {
  const AgentModel model = agent_with(kStock);
  AgentScript script(model);
  EXPECT_EQ(failure_of(ask(script, R"({"sku":"a","qty":3})", {.error = true})),
            "upstream: an error of the simulation");
  EXPECT_TRUE(std::holds_alternative<Hung>(
      ask(script, R"({"sku":"a","qty":3})", {.error = true, .hang = true}).outcome));
  EXPECT_EQ(output_of(ask(script, R"({"sku":"a","qty":3})")), R"({"reserved":true,"left":0})");
}

TEST(Luck, of_a_crash_comes_after_the_work_was_done) {
  AgentModel model = agent_with(kStock);
  model.effect = Effect::irreversible;
  AgentScript script(model);
  const Answer lost = ask(script, R"({"sku":"a","qty":3})", {.hang = true, .duplicate = true, .crash = true});
  EXPECT_TRUE(lost.crash);
  EXPECT_FALSE(lost.duplicate);
  EXPECT_EQ(lost.effect_key, "run/0/0");
  EXPECT_EQ(output_of(ask(script, R"({"sku":"a","qty":3})")), R"({"reserved":false})");
}

TEST(Luck, of_garbage_breaks_the_schema) {
  AgentModel model = scenario_with("").agents.at("price");
  AgentScript script(model);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const std::string garbage = output_of(ask(script, "{}", {.garbage = true}, seed));
    EXPECT_FALSE(model.output_schema->validate_json(garbage)->empty()) << garbage;
  }
}

TEST(Effect, is_counted_by_the_idempotency_key_or_one_of_its_own) {
  AgentModel model = agent_with("{effect: irreversible}");
  AgentScript by_task(model);
  EXPECT_EQ(ask(by_task, "{}").effect_key, "run/0/0");
  EXPECT_EQ(ask(by_task, "{}", {.error = true}).effect_key, std::nullopt);
  EXPECT_EQ(ask(by_task, "{}", {.hang = true}).effect_key, std::nullopt);
  EXPECT_EQ(ask(by_task, "{}", {.garbage = true}).effect_key, "run/0/0");
  const AgentModel keyed = agent_with(R"({effect: idempotent, effect_key: "${{ input.order }}"})");
  AgentScript by_order(keyed);
  EXPECT_EQ(ask(by_order, R"({"order":"o7"})").effect_key, "o7");
  EXPECT_TRUE(ask(by_order, "{}").mistake);
}

TEST(RecordedAgent, answers_what_was_recorded_for_the_same_input) {
  const auto recording = std::make_shared<Recording>();
  const Place place{"order", "scan", std::nullopt, 1};
  recording->add(place, Payload(R"({"n":1})"), {milliseconds(20), TaskFailure{"late", "x"}});
  recording->add(place, Payload(R"({"n":1})"), {milliseconds(30), TaskSuccess{Payload("10")}});
  recording->add(place, Payload(R"({"n":2})"), {milliseconds(40), TaskSuccess{Payload("20")}});
  AgentModel model{.name = "scan"};
  model.recorded = recording;
  AgentScript script(model);
  EXPECT_EQ(output_of(ask(script, R"({"n": 2})")), "20");
  EXPECT_EQ(failure_of(ask(script, R"({"n":1})")), "late: x");
  const Answer again = ask(script, R"({"n":1})");
  EXPECT_EQ(output_of(again), "10");
  EXPECT_EQ(again.after, milliseconds(30));
  EXPECT_EQ(failure_of(ask(script, R"({"n":1})")), "late: x");
}

TEST(RecordedAgent, without_an_equal_input_goes_by_the_place) {
  const auto recording = std::make_shared<Recording>();
  recording->add({"order", "scan", 0, 1}, Payload("1"), {milliseconds(1), TaskSuccess{Payload("\"first\"")}});
  recording->add({"order", "scan", 1, 1}, Payload("2"),
                 {milliseconds(1), TaskSuccess{Payload("\"second\"")}});
  AgentModel model{.name = "scan"};
  model.recorded = recording;
  AgentScript script(model);
  Call asked = call("99");
  asked.place.item = 1;
  EXPECT_EQ(output_of(script.answer(asked, {}, Draws(1))), "\"second\"");
  asked.place.item = 7;
  EXPECT_EQ(output_of(script.answer(asked, {}, Draws(1))), "\"first\"");
  asked.place.step = "price";
  EXPECT_THAT(*script.answer(asked, {}, Draws(1)).mistake,
              HasSubstr("no answer was recorded for step price of order"));
}

}  // namespace
}  // namespace ganglion::scenario
