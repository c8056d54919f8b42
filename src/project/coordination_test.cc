#include "project/coordination.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "project/diagnostics_testing.h"

namespace ganglion::project {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

// Of two workflows, `scan` and `review`; `coordination` begins on line 3.
std::string with_coordination(const std::string& value) {
  return "ganglion: 1\nworkflows: {scan: {steps: {x: {transform: 1}}}, review: {steps: {x: {transform: "
         "1}}}}\n"
         "coordination: " +
         value + "\n";
}

Coordination coordination_of(const std::string& value) {
  const Loaded project = parse(with_coordination(value), "g.yaml");
  if (project) return (*project)->coordination;
  ADD_FAILURE() << project.error().front().text();
  return {};
}

std::vector<std::string> errors_in(const std::string& value) {
  return errors_of(with_coordination(value));
}

TEST(Coordination, is_a_mesh_of_one_domain_where_nothing_is_said) {
  const Loaded project = parse("ganglion: 1\n", "g.yaml");
  ASSERT_TRUE(project);
  EXPECT_EQ((*project)->coordination.strategy, Strategy::mesh);
  EXPECT_THAT((*project)->coordination.domains, IsEmpty());
  EXPECT_EQ((*project)->coordination.domain_of("anything"), "default");
}

TEST(Coordination, has_four_strategies) {
  for (const Strategy strategy : kStrategies) {
    const std::string name(name_of(strategy));
    EXPECT_EQ(coordination_of("{strategy: " + name + "}").strategy, strategy) << name;
  }
}

TEST(Coordination, puts_a_workflow_into_its_domain_and_every_other_one_into_the_default) {
  const Coordination coordination = coordination_of("{domains: {code: {workflows: [review]}}}");
  EXPECT_THAT(coordination.domains, ElementsAre(Pair("code", ElementsAre("review"))));
  EXPECT_EQ(coordination.domain_of("review"), "code");
  EXPECT_EQ(coordination.domain_of("scan"), "default");
  EXPECT_EQ(coordination.domain_of("@scanner"), "default");
}

TEST(Coordination, may_name_the_default_domain) {
  const Coordination coordination =
      coordination_of("{strategy: hierarchical, domains: {default: {workflows: [scan]}}}");
  EXPECT_EQ(coordination.domain_of("scan"), "default");
  EXPECT_EQ(coordination.domain_of("review"), "default");
}

TEST(DiagnosticsOfCoordination, name_the_strategy) {
  EXPECT_THAT(errors_in("{strategy: mash}"),
              ElementsAre("g.yaml:3:16: coordination.strategy: no strategy \"mash\"; did you mean \"mesh\"?; "
                          "there are centralized, mesh, hierarchical and swarm"));
  EXPECT_THAT(errors_in("{strategy: 1}"), ElementsAre(HasSubstr("expected text, got the number 1")));
  EXPECT_THAT(errors_in("{strtegy: mesh}"), ElementsAre(HasSubstr("did you mean \"strategy\"?")));
  EXPECT_THAT(errors_in("mesh"), ElementsAre(HasSubstr("expected a mapping, got the text \"mesh\"")));
}

TEST(DiagnosticsOfDomains, name_the_workflow) {
  EXPECT_THAT(
      errors_in("{domains: {code: {workflows: [scan, reviev]}}}"),
      ElementsAre("g.yaml:3:51: coordination.domains.code.workflows[1]: no workflow \"reviev\"; did you "
                  "mean \"review\"?"));
  EXPECT_THAT(errors_in("{domains: {a: {workflows: [scan]}, b: {workflows: [scan]}}}"),
              ElementsAre("g.yaml:3:66: coordination.domains.b.workflows[0]: the workflow \"scan\" is of the "
                          "domain \"a\" already; it can be of one"));
  EXPECT_THAT(errors_in("{domains: {a: {workflows: [scan, scan]}}}"),
              ElementsAre(HasSubstr("is of the domain \"a\" already")));
}

TEST(DiagnosticsOfDomains, name_a_domain_without_workflows) {
  EXPECT_THAT(errors_in("{domains: {}}"), IsEmpty());
  EXPECT_THAT(errors_in("{domains: {code: {workflows: []}}}"),
              ElementsAre("g.yaml:3:33: coordination.domains.code.workflows: expected a list of workflows, "
                          "such as [code-review], got an empty list"));
  EXPECT_THAT(errors_in("{domains: {code: {}}}"),
              ElementsAre(HasSubstr("coordination.domains.code: \"workflows\" is missing")));
  EXPECT_THAT(errors_in("{domains: {code: [scan]}}"),
              ElementsAre(HasSubstr("expected a mapping, got a list")));
  EXPECT_THAT(errors_in("{domains: [code]}"), ElementsAre(HasSubstr("expected a mapping, got a list")));
  EXPECT_THAT(errors_in("{domains: {code: {workflow: [scan]}}}"),
              ElementsAre(HasSubstr("\"workflows\" is missing"), HasSubstr("did you mean \"workflows\"?")));
}

TEST(DiagnosticsOfDomains, name_what_is_no_name) {
  for (const std::string name : {"a.b", "'a b'", "1a", "ä", "''"}) {
    EXPECT_THAT(errors_in("{domains: {" + name + ": {workflows: [scan]}}}"),
                ElementsAre(HasSubstr("no name: names are letters, digits, '_' and '-'")))
        << name;
  }
  EXPECT_THAT(errors_in("{domains: {" + std::string(65, 'a') + ": {workflows: [scan]}}}"),
              ElementsAre(HasSubstr("a name has at most 64 bytes")));
  std::string many;
  for (std::size_t i = 0; i <= kMaxDomains; ++i) many += "d" + std::to_string(i) + ": {workflows: [scan]}, ";
  EXPECT_THAT(errors_in("{domains: {" + many + "}}"), ElementsAre(HasSubstr("more than 256 domains")));
}

}  // namespace
}  // namespace ganglion::project
