// Runs that start when their time has come: each slot once, whoever starts it.

#include "coordinator/schedules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "coordinator/coordinator_fixture.h"
#include "core/testing/project_builder.h"

namespace ganglion {
namespace {

using testing::assembled;
using ::testing::ElementsAre;
using testing::Fault;
using ::testing::IsEmpty;
using testing::ProjectBuilder;
using ::testing::SizeIs;
using testing::with_every_fault;
using testing::World;

constexpr Duration kMinute{60'000};
constexpr Duration kHour{3'600'000};

Trigger at(const std::string& cron, MissedSlots missed = MissedSlots::latest, const std::string& zone = "UTC",
           const std::string& input = "${{ event.time }}") {
  return {CronTrigger{cron, zone, missed}, "w", expr::Template::text(input).value()};
}

std::shared_ptr<const Project> with_schedule(std::vector<Trigger> triggers,
                                             const std::string& version = "1") {
  auto project = assembled(ProjectBuilder().transform_step("t", {}, "${{ input }}").build(), {}, version);
  project->triggers = std::move(triggers);
  return project;
}

// The slots of the runs, oldest first.
std::vector<std::string> slots(World& world) {
  std::vector<std::string> slots;
  for (const RunRecord& record : world.runs()) {
    const std::string input(world.folded(record.id)->created().input.bytes());
    slots.insert(slots.begin(), input.substr(1, input.size() - 2));
  }
  std::ranges::sort(slots);
  return slots;
}

// The clock of the tests begins at 2023-11-14T22:13:20Z.

TEST(Schedules, StartOneRunForEachSlot) {
  const auto project = with_schedule({at("*/30 * * * *")});
  const SessionsOptions no_sweep{.sweep_every = kHour * 24};
  with_every_fault([=] { return std::make_unique<World>(project, CoordinatorOptions(), no_sweep); },
                   [](World& world) {
                     // Minute by minute, so that a process that dies is started again soon.
                     for (int minute = 0; minute < 80; ++minute) world.pass(kMinute);
                     EXPECT_THAT(slots(world),
                                 ElementsAre("2023-11-14T22:30:00.000Z", "2023-11-14T23:00:00.000Z",
                                             "2023-11-14T23:30:00.000Z"));
                   });
}

TEST(Schedules, MissedSlotsAreSkippedOrTakenOrAll) {
  const auto missed = [](MissedSlots policy) {
    World world(with_schedule({at("0 * * * *", policy)}));
    world.pass(Duration(1000));
    world.process.reset();
    world.clock.advance(kHour * 3);
    world.restart();
    world.pass(kMinute);
    auto found = slots(world);
    world.pass(kHour);
    EXPECT_EQ(slots(world).size(), found.size() + 1) << "and it goes on";
    world.verify();
    return found;
  };
  EXPECT_THAT(missed(MissedSlots::skip), IsEmpty());
  EXPECT_THAT(missed(MissedSlots::latest), ElementsAre("2023-11-15T01:00:00.000Z"));
  EXPECT_THAT(missed(MissedSlots::all), ElementsAre("2023-11-14T23:00:00.000Z", "2023-11-15T00:00:00.000Z",
                                                    "2023-11-15T01:00:00.000Z"));
}

TEST(Schedules, ASlotThatTheStoreKeepsFromStartingIsStartedLater) {
  World world(with_schedule({at("0 * * * *", MissedSlots::skip)}));
  world.pass(Duration(1000));
  world.process->store.unavailable = true;
  world.clock.advance(kHour);
  world.process->store.unavailable = false;
  world.pass(kMinute);
  EXPECT_THAT(slots(world), ElementsAre("2023-11-14T23:00:00.000Z"));
}

TEST(Schedules, TwoProcessesOverOneStoreStartOneRunForEachSlot) {
  World world(with_schedule({at("0 * * * *")}));
  testing::Process other(world.clock, world.store, world.project);
  world.pass(kHour * 3);
  EXPECT_THAT(slots(world), SizeIs(3));
}

TEST(Schedules, KeepTheirSlotsUnderANewProject) {
  World world(with_schedule({at("0 * * * *")}));
  world.pass(kHour);
  world.activate(with_schedule({at("30 * * * *"), at("0 * * * *")}, "2"));
  world.pass(Duration(1000));
  EXPECT_THAT(slots(world), SizeIs(1)) << "neither again nor a new one at once";
  world.pass(kHour);
  EXPECT_THAT(slots(world), SizeIs(3));
  world.activate(with_schedule({}, "3"));
  world.pass(kHour * 2);
  EXPECT_THAT(slots(world), SizeIs(3));
  world.verify();
}

TEST(Schedules, ANewOneDoesntMakeUpForWhatWasBefore) {
  World world(with_schedule({at("0 * * * *", MissedSlots::all)}));
  world.pass(Duration(1000));
  EXPECT_THAT(slots(world), IsEmpty());
}

TEST(Schedules, FollowTheWallWhereClocksChange) {
  // 2024-03-31: 02:00 becomes 03:00 in Berlin. 2024-10-27: 03:00 becomes 02:00.
  World world(with_schedule({at("30 2 * * *", MissedSlots::latest, "Europe/Berlin")}));
  world.pass(Duration(1000));
  const auto day = [&](const char* from, int hours) {
    world.process.reset();
    const Timestamp start = parse_rfc3339(from).value();
    world.clock.advance(
        Duration(start.milliseconds_since_epoch() - world.clock.now().milliseconds_since_epoch()));
    world.restart();
    const std::size_t before = slots(world).size();
    for (int hour = 0; hour < hours; ++hour) world.pass(kHour);
    auto all = slots(world);
    return std::vector<std::string>(all.begin() + static_cast<std::ptrdiff_t>(before), all.end());
  };
  EXPECT_THAT(day("2024-03-30T12:00:00Z", 36), ElementsAre("2024-03-31T01:00:00.000Z"));
  EXPECT_THAT(day("2024-10-26T12:00:00Z", 24), ElementsAre("2024-10-27T00:30:00.000Z"))
      << "the first time only";
  world.verify();
}

TEST(Schedules, WhoseInputIsNotWhatTheWorkflowTakesGoOn) {
  auto project = assembled(with_schedule({at("0 * * * *")}));
  project->workflows.at("w").input =
      schema::Schema::compile(boost::json::parse(R"({"type":"integer"})")).value();
  World world(project);
  world.pass(kHour * 2);
  EXPECT_THAT(slots(world), IsEmpty());
  EXPECT_THAT(world.process->problems, SizeIs(2));
  EXPECT_EQ(world.process->problems[0].code, "invalid_input");
}

}  // namespace
}  // namespace ganglion
