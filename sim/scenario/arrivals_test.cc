// What outsiders do, one by one.

#include "sim/scenario/arrivals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/scenario/scenario_testing.h"

namespace ganglion::scenario {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::SizeIs;

TEST(NewRun, is_made_from_its_index_time_and_draws) {
  const auto scenario = scenario_with(R"(arrivals: [{workflow: order, every: 1s, count: 3,
    input: {id: "${{ 'o' + string(index) }}", at: "${{ at_ms }}", quantity: "${{ 1 + int(random.quantity * 5.0) }}"},
    session: "${{ 's' + string(index % 2) }}", labels: {tenant: a, number: "${{ index }}"}}])");
  const Arrivals& arrivals = scenario.arrivals.front();
  const auto run = make_run(arrivals, 3, seconds(7), Draws(5));
  ASSERT_TRUE(run);
  EXPECT_EQ(run->workflow, "order");
  EXPECT_EQ(run->input.bytes().substr(0, 32), R"({"id":"o3","at":7000,"quantity":)");
  EXPECT_EQ(run->session_id, "s1");
  EXPECT_THAT(run->labels, ElementsAre(Pair("number", "3"), Pair("tenant", "a")));
}

TEST(NewRun, has_draws_of_its_own) {
  const auto scenario = scenario_with(
      R"(arrivals: [{workflow: order, every: 1s, input: {id: "${{ random.a }}", same: "${{ random.a == random.a }}"}}])");
  const Arrivals& arrivals = scenario.arrivals.front();
  const auto first = make_run(arrivals, 0, seconds(0), Draws(5));
  EXPECT_EQ(first->input, make_run(arrivals, 0, seconds(0), Draws(5))->input);
  EXPECT_NE(first->input, make_run(arrivals, 1, seconds(0), Draws(5))->input);
  EXPECT_NE(first->input, make_run(arrivals, 0, seconds(0), Draws(6))->input);
  EXPECT_TRUE(first->input.bytes().ends_with("\"same\":true}"));
}

TEST(NewRun, says_why_it_cannot_be_made) {
  const auto scenario =
      scenario_with(R"(arrivals: [{workflow: order, every: 1s, input: {id: "${{ 1 / index }}"}}])");
  EXPECT_EQ(make_run(scenario.arrivals.front(), 0, seconds(0), Draws(5)).error().code, "divide_by_zero");
}

TEST(ArrivalTimes, of_a_recording_are_the_recorded_ones) {
  Arrivals arrivals;
  arrivals.recorded = {{seconds(0), "order", Payload("1"), {}, {}},
                       {seconds(4), "order", Payload("2"), "s", {{"a", "b"}}},
                       {seconds(90), "order", Payload("3"), {}, {}}};
  EXPECT_THAT(arrival_times(arrivals, seconds(60), Draws(1)), ElementsAre(seconds(0), seconds(4)));
  const auto run = make_run(arrivals, 1, seconds(4), Draws(1));
  EXPECT_EQ(run->input, Payload("2"));
  EXPECT_EQ(run->session_id, "s");
  EXPECT_THAT(run->labels, ElementsAre(Pair("a", "b")));
}

TEST(ArrivalTimes, are_at_most_as_many_as_the_count) {
  const auto scenario = scenario_with("arrivals: [{workflow: order, rate: 5/s, count: 7, input: {id: 1}}]");
  EXPECT_THAT(arrival_times(scenario.arrivals.front(), scenario.duration, Draws(1)), SizeIs(7));
}

TEST(Publication, renders_its_data) {
  const auto scenario = scenario_with(
      R"(events: [{topic: file.uploaded, every: 1m, count: 2, data: {name: "${{ 'f' + string(index) }}"}}])");
  const Publications& events = scenario.events.front();
  EXPECT_THAT(publication_times(events, scenario.duration, Draws(1)), ElementsAre(seconds(0), seconds(60)));
  EXPECT_EQ(make_data(events, 1, seconds(60), Draws(1))->bytes(), R"({"name":"f1"})");
}

TEST(PersonOutput, sees_what_was_shown) {
  const auto scenario = scenario_with(
      R"(people: [{by: ann, steps: [opinion], output: {of: "${{ show.id }}", at: "${{ step }}"}}, {by: bob}])");
  const auto output =
      make_output(scenario.people[0], "opinion", Payload(R"({"id":7})"), seconds(1), Draws(1));
  EXPECT_EQ(output->bytes(), R"({"of":7,"at":"opinion"})");
  EXPECT_TRUE(make_output(scenario.people[1], "opinion", Payload(), seconds(1), Draws(1))->is_null());
}

}  // namespace
}  // namespace ganglion::scenario
