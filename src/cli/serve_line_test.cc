// What `ganglion serve` is asked for where several processes share a store.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "cli/command_line.h"

namespace ganglion::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::expected<Command, Notice> read(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), {"ganglion", "serve"});
  return read_command_line(static_cast<int>(arguments.size()), arguments.data());
}

ServeCommand serve(std::vector<const char*> arguments) {
  const auto command = read(std::move(arguments));
  if (command) return std::get<ServeCommand>(*command);
  ADD_FAILURE() << command.error().text;
  return {};
}

std::string refusal(std::vector<const char*> arguments) {
  const auto command = read(std::move(arguments));
  if (command) return "";
  EXPECT_EQ(command.error().exit_code, 2);
  return command.error().text;
}

// No variable of who runs the tests.
class ServeLine : public testing::Test {
 protected:
  ServeLine() { clear(); }
  ~ServeLine() override { clear(); }

  static void clear() {
    for (const char* name : {"GANGLION_STORE", "GANGLION_BUS", "GANGLION_AUDIT"}) ::unsetenv(name);
  }
};

TEST_F(ServeLine, without_words_is_one_process_that_does_everything) {
  const ServeCommand command = serve({});
  EXPECT_EQ(command.store, kDefaultStore);
  EXPECT_EQ(command.bus, "embedded:");
  EXPECT_EQ(command.strategy, std::nullopt);
  EXPECT_THAT(command.domains, IsEmpty());
  EXPECT_TRUE(command.roles.all());
}

TEST_F(ServeLine, copies_journals_to_an_audit_where_one_is_named) {
  EXPECT_EQ(serve({}).audit, std::nullopt);
  EXPECT_EQ(serve({"--audit", "postgres://a/d"}).audit, "postgres://a/d");
  ::setenv("GANGLION_AUDIT", "postgres://u:secret@a/d", 1);
  EXPECT_EQ(serve({}).audit, "postgres://u:secret@a/d");
  EXPECT_EQ(serve({"--audit", "postgres://b/d"}).audit, "postgres://b/d");
}

TEST_F(ServeLine, takes_the_redis_of_the_store_as_the_bus_unless_another_is_named) {
  EXPECT_EQ(serve({"--store", "redis://r"}).bus, "redis://r");
  EXPECT_EQ(serve({"--store", "redis+sentinel://s/m"}).bus, "redis+sentinel://s/m");
  EXPECT_EQ(serve({"--store", "redis://r", "--bus", "amqp://b"}).bus, "amqp://b");
  EXPECT_EQ(serve({"--store", "redis://r", "--bus", "embedded:"}).bus, "embedded:");
  EXPECT_EQ(serve({"--store", "postgres://p/d"}).bus, "embedded:");
}

TEST_F(ServeLine, takes_urls_from_the_environment_and_the_line_wins) {
  ::setenv("GANGLION_STORE", "postgres://u:secret@p/d", 1);
  ::setenv("GANGLION_BUS", "amqp://u:secret@b", 1);
  EXPECT_EQ(serve({}).store, "postgres://u:secret@p/d");
  EXPECT_EQ(serve({}).bus, "amqp://u:secret@b");
  EXPECT_EQ(serve({"--store", "redis://r"}).bus, "amqp://u:secret@b");
  EXPECT_EQ(serve({"--bus", "redis://r"}).bus, "redis://r");
  EXPECT_EQ(Target().store, "postgres://u:secret@p/d") << "so that other commands find it, too";
  ::unsetenv("GANGLION_BUS");
  ::setenv("GANGLION_STORE", "redis://r", 1);
  EXPECT_EQ(serve({}).bus, "redis://r");
}

TEST_F(ServeLine, names_a_strategy) {
  EXPECT_EQ(serve({"--strategy", "hierarchical"}).strategy, Strategy::hierarchical);
  EXPECT_EQ(refusal({"--strategy", "mash"}),
            "--strategy: no strategy \"mash\"; did you mean \"mesh\"?; there are centralized, mesh, "
            "hierarchical and swarm");
}

TEST_F(ServeLine, names_domains_one_by_one_or_joined) {
  EXPECT_THAT(serve({"--domain", "b,a", "--domain", "c", "--domain", "a"}).domains,
              ElementsAre("b", "a", "c"));
  EXPECT_THAT(refusal({"--domain", "a.b"}), HasSubstr("--domain: \"a.b\" is no domain: names are letters"));
  EXPECT_THAT(refusal({"--domain", ""}), HasSubstr("is no domain"));
}

TEST_F(ServeLine, names_roles_as_a_set) {
  EXPECT_EQ(serve({"--roles", "agents,ingress", "--store", "redis://r"}).roles,
            (Roles{.ingress = true, .coordinator = false, .agents = true}));
  EXPECT_EQ(serve({"--roles", "coordinator", "--roles", "coordinator", "--store", "redis://r"}).roles,
            (Roles{.ingress = false, .coordinator = true, .agents = false}));
  EXPECT_TRUE(serve({"--roles", "coordinator,ingress,agents", "--bus", "embedded:"}).roles.all());
  EXPECT_EQ(
      refusal({"--roles", "coordnator"}),
      "--roles: no role \"coordnator\"; did you mean \"coordinator\"?; there are ingress, coordinator and "
      "agents, joined by commas");
  EXPECT_THAT(refusal({"--roles", ""}), HasSubstr("there are ingress, coordinator and agents"));
}

TEST_F(ServeLine, refuses_what_makes_no_sense_together) {
  EXPECT_THAT(refusal({"--roles", "agents"}), HasSubstr("a bus to them: --bus URL, or a store in Redis"));
  EXPECT_THAT(refusal({"--roles", "ingress,agents", "--domain", "a", "--store", "redis://r"}),
              HasSubstr("add coordinator to --roles"));
}

}  // namespace
}  // namespace ganglion::cli
