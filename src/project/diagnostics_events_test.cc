// Every way in which topics, triggers and schedules can be wrong, and what is said about it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "project/diagnostics_testing.h"
#include "project/schedule.h"

namespace ganglion::project {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// It begins on line 3.
std::vector<std::string> errors_of_trigger(const std::string& trigger) {
  return errors_of("ganglion: 1\nworkflows: {scan: {steps: {x: {transform: 1}}}}\ntriggers: [" + trigger +
                   "]\n");
}

TEST(DiagnosticsOfTopics, name_the_version) {
  EXPECT_THAT(errors_of_root("topics: {file.uploaded: {1: {type: object}, 2: true}}"), SizeIs(0));
  EXPECT_THAT(errors_of_root("topics: {file.uploaded: {}}"),
              ElementsAre("g.yaml:2:10: topics.file.uploaded: a topic needs at least one version, such as "
                          "{1: {type: object}}"));
  for (const std::string version : {"0", "v1", "-1", "1.5", "1000001", "01", "''"}) {
    EXPECT_THAT(errors_of_root("topics: {t: {" + version + ": {}}}"),
                ElementsAre(HasSubstr("no version: expected a whole number from 1")))
        << version;
  }
  EXPECT_THAT(errors_of_root("topics: {file.*: {1: {}}}"),
              ElementsAre(HasSubstr("no topic: topics are words")));
  EXPECT_THAT(errors_of_root("topics: {t: {1: {type: strng}}}"),
              ElementsAre(HasSubstr("topics.t.1.type: not a JSON Schema: no type \"strng\"")));
  EXPECT_THAT(errors_of_root("topics: [t]"), ElementsAre(HasSubstr("expected a mapping, got a list")));
}

TEST(DiagnosticsOfTriggers, name_what_is_missing) {
  EXPECT_THAT(errors_of_trigger("{on: file.*, workflow: scan}"), SizeIs(0));
  EXPECT_THAT(errors_of_trigger("{workflow: scan}"),
              ElementsAre("g.yaml:3:12: triggers[0]: a trigger has either \"on\" or \"cron\""));
  EXPECT_THAT(errors_of_trigger("{on: a, cron: '@daily', workflow: scan, missed: all}"), SizeIs(1));
  EXPECT_THAT(errors_of_trigger("{on: a}"),
              ElementsAre(HasSubstr("triggers[0]: a trigger needs \"workflow\"")));
  EXPECT_THAT(errors_of_trigger("{on: a, workflow: scna}"),
              ElementsAre("g.yaml:3:20: triggers[0].workflow: no workflow \"scna\"; did you mean \"scan\"?"));
  EXPECT_THAT(errors_of_trigger("{on: a..b, workflow: scan}"),
              ElementsAre(HasSubstr("triggers[0].on: no pattern")));
  EXPECT_THAT(errors_of_trigger("{on: a, workflow: scan, inputs: 1}"),
              ElementsAre(HasSubstr("did you mean \"input\"?")));
  EXPECT_THAT(errors_of_trigger("scan"), ElementsAre(HasSubstr("expected a mapping")));
  EXPECT_THAT(errors_of_root("triggers: {on: a}"), ElementsAre(HasSubstr("expected a list of triggers")));
  EXPECT_THAT(errors_of_root("triggers: [{on: a, workflow: gone}]"),
              ElementsAre(HasSubstr("no workflow \"gone\"")));
  std::string many;
  for (int i = 0; i < 1001; ++i) many += "{on: a, workflow: scan}, ";
  EXPECT_THAT(errors_of_trigger(many), ElementsAre(HasSubstr("1001 triggers; a project has at most 1000")));
}

TEST(DiagnosticsOfTriggers, keep_events_and_schedules_apart) {
  EXPECT_THAT(errors_of_trigger("{on: a, timezone: UTC, missed: all, workflow: scan}"),
              ElementsAre(HasSubstr("\"timezone\" is a key of triggers with \"cron\""),
                          HasSubstr("\"missed\" is a key of triggers with \"cron\"")));
  EXPECT_THAT(errors_of_trigger("{cron: '@daily', where: true, workflow: scan}"),
              ElementsAre(HasSubstr("\"where\" is a key of triggers with \"on\"")));
  EXPECT_THAT(errors_of_trigger("{cron: '@daily', missed: some, workflow: scan}"),
              ElementsAre(HasSubstr("expected skip, latest or all, got the text \"some\"")));
}

TEST(DiagnosticsOfTriggers, see_the_event_and_nothing_else) {
  EXPECT_THAT(
      errors_of_trigger(
          "{on: a, where: '${{ event.data.x > 1 }}', workflow: scan, input: {x: '${{ event.subject }}'}}"),
      SizeIs(0));
  EXPECT_THAT(errors_of_trigger("{on: a, workflow: scan, input: '${{ input.x }}'}"),
              ElementsAre(HasSubstr("no name \"input\" here: a trigger sees the event and nothing else")));
  EXPECT_THAT(errors_of_trigger("{on: a, workflow: scan, input: '${{ evnt.data }}'}"),
              ElementsAre(HasSubstr("did you mean \"event\"?")));
  EXPECT_THAT(errors_of_trigger("{on: a, where: '${{ state.x }}', workflow: scan}"), SizeIs(1));
  EXPECT_THAT(
      errors_of_trigger("{on: a, workflow: scan, input: '${{ event.payload }}'}"),
      ElementsAre(HasSubstr("an event has id, type, source, time, subject and data, and no \"payload\"")));
  EXPECT_THAT(errors_of_trigger("{cron: '@daily', workflow: scan, input: '${{ event.time }}'}"), SizeIs(0));
  EXPECT_THAT(errors_of_trigger("{cron: '@daily', workflow: scan, input: '${{ event.data }}'}"),
              ElementsAre(HasSubstr("the event of a schedule has type and time, and no \"data\"")));
}

TEST(DiagnosticsOfSchedules, stand_at_the_key) {
  EXPECT_THAT(errors_of_trigger("{cron: '0 3 * *', workflow: scan}"),
              ElementsAre(HasSubstr("g.yaml:3:13: triggers[0].cron: expected minute, hour, day of month")));
  EXPECT_THAT(errors_of_trigger("{cron: [1], workflow: scan}"), ElementsAre(HasSubstr("expected text")));
  EXPECT_THAT(
      errors_of_trigger("{cron: '@daily', timezone: 'Europe Berlin', workflow: scan}"),
      ElementsAre(HasSubstr(
          "triggers[0].timezone: no time zone \"Europe Berlin\" is installed; names are such as UTC or "
          "Europe/Berlin")));
}

TEST(Schedules, have_five_fields_or_a_name) {
  for (const char* good : {"0 3 * * *", "*/15 0-6/2,12 1,15 JAN-Mar sun", "0  0\t1 1 7", "59 23 31 12 0",
                           "@hourly", "@yearly", "0 0 * * 5-7"}) {
    EXPECT_EQ(check_cron(good), std::nullopt) << good;
  }
  for (const char* bad : {"",
                          "@noon",
                          "* * * *",
                          "* * * * * *",
                          "60 * * * *",
                          "* 24 * * *",
                          "* * 0 * *",
                          "* * * 13 *",
                          "* * * * 8",
                          "-1 * * * *",
                          "5-1 * * * *",
                          "1-2-3 * * * *",
                          "*/0 * * * *",
                          "*/60 * * * *",
                          "5/2 * * * *",
                          "1, * * * *",
                          "a * * * *",
                          "* * * FEBR *",
                          "* * L * *",
                          "/2 * * * *",
                          "1.5 * * * *",
                          "*/ * * * *"}) {
    EXPECT_NE(check_cron(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(check_cron("61 * * * *"), "minute \"61\" is not from 0 to 59");
  EXPECT_EQ(check_cron("0 0 * * FRI-MON"), "day of week \"FRI-MON\" ends before it begins");
  EXPECT_THAT(check_cron("@weakly").value(), HasSubstr("did you mean \"@weekly\"?"));
}

TEST(Schedules, have_a_time_zone_with_a_name) {
  for (const char* good : {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5"}) {
    EXPECT_EQ(check_timezone(good), std::nullopt) << good;
  }
  for (const char* bad : {"", "/", "Europe/", "../etc/passwd", "+02:00", "Europe Berlin", "Zürich"}) {
    EXPECT_NE(check_timezone(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace ganglion::project
