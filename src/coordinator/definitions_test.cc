#include "coordinator/definitions.h"

#include <gtest/gtest.h>

#include "adapters/memory/store.h"
#include "ports/testing/virtual_clock.h"

namespace ganglion {
namespace {

class DefinitionsTest : public ::testing::Test {
 protected:
  Result<std::shared_ptr<const Project>> compile(const std::string& source) {
    ++compiled;
    if (source == "broken") return fail("invalid_project", "line 1");
    auto project = std::make_shared<Project>();
    project->digest = "digest of " + source;
    project->source = source;
    return project;
  }
  void activate(Definitions& definitions, const std::string& source) {
    definitions.activate(*compile(source), [](Result<void> done) { EXPECT_TRUE(done); });
    clock.run();
  }

  testing::VirtualClock clock;
  memory::Store store{clock};
  Definitions::Compiler compiler = [this](const std::string& source) { return compile(source); };
  int compiled = 0;
};

TEST_F(DefinitionsTest, TheActiveProjectSurvivesARestart) {
  Definitions before(store, compiler);
  activate(before, "a");
  activate(before, "b");

  Definitions after(store, compiler);
  after.restore([](Result<void> done) { EXPECT_TRUE(done); });
  clock.run();
  ASSERT_NE(after.active(), nullptr);
  EXPECT_EQ(after.active()->source, "b");
}

TEST_F(DefinitionsTest, AnOldProjectIsStillThereForItsRuns) {
  Definitions definitions(store, compiler);
  activate(definitions, "a");
  for (int i = 0; i < 20; ++i) activate(definitions, "v" + std::to_string(i));
  EXPECT_EQ(definitions.find("digest of a"), nullptr) << "nobody holds it";

  std::string source;
  definitions.load("digest of a",
                   [&](Result<std::shared_ptr<const Project>> project) { source = (*project)->source; });
  clock.run();
  EXPECT_EQ(source, "a");
}

TEST_F(DefinitionsTest, WhatIsHeldIsNotCompiledAgain) {
  Definitions definitions(store, compiler);
  activate(definitions, "a");
  const auto held = definitions.active();
  for (int i = 0; i < 20; ++i) activate(definitions, "v" + std::to_string(i));
  const int before = compiled;
  EXPECT_EQ(definitions.find("digest of a"), held);
  EXPECT_EQ(compiled, before);
}

TEST_F(DefinitionsTest, TheCopyThatRunsHoldIsTheOneThatIsFound) {
  Definitions definitions(store, compiler);
  activate(definitions, "a");
  const auto held = definitions.active();
  activate(definitions, "a");
  for (int i = 0; i < 20; ++i) activate(definitions, "v" + std::to_string(i));
  EXPECT_EQ(definitions.find("digest of a"), held);
}

TEST_F(DefinitionsTest, WhatCannotBeReadIsSaid) {
  Definitions definitions(store, compiler);
  store.put_definition("d", "broken", [](Result<void>) {});
  std::string unknown, broken;
  definitions.load("none", [&](auto project) { unknown = project.error().code; });
  definitions.load("d", [&](auto project) { broken = project.error().code; });
  clock.run();
  EXPECT_EQ(unknown, "not_found");
  EXPECT_EQ(broken, "invalid_definition");
}

TEST_F(DefinitionsTest, AnEmptyInstallationHasNoActiveProject) {
  Definitions definitions(store, compiler);
  bool done = false;
  definitions.restore([&](Result<void> restored) { done = restored.has_value(); });
  clock.run();
  EXPECT_TRUE(done);
  EXPECT_EQ(definitions.active(), nullptr);
}

TEST_F(DefinitionsTest, TheFirstProjectThatAnotherEngineActivatesIsToldToo) {
  Definitions here(store, compiler), there(store, compiler);
  int told = 0;
  here.on_activated([&] { ++told; });
  activate(there, "a");
  for (int i = 0; i < 2; ++i) {
    here.restore([](const Result<void>&) {});
    clock.run();
  }
  EXPECT_EQ(told, 1);
  ASSERT_NE(here.active(), nullptr);
  EXPECT_EQ(here.active()->digest, "digest of a");
}

TEST_F(DefinitionsTest, WhatWasReadBeforeAnActivationDoesNotUndoIt) {
  Definitions definitions(store, compiler);
  activate(definitions, "a");
  definitions.restore([](const Result<void>&) {});
  definitions.activate(compiler("b").value(), [](const Result<void>&) {});
  clock.run();
  EXPECT_EQ(definitions.active()->digest, "digest of b");
}

}  // namespace
}  // namespace ganglion
