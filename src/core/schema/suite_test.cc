// The official test suite: draft 2020-12 from build/cache (scripts/fetch-schema-suite), and from Debian's
// package the files of draft 7 whose keywords mean the same in 2020-12. What is left out is listed with its
// reason; a group that is listed and passes all the same is an error, so the list can't outlive its reasons.

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "core/schema/schema.h"

namespace ganglion::schema {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

struct LeftOut {
  std::string file;   // relative to the draft's folder
  std::string group;  // its description; empty: the whole file
  std::string reason;
};

json::value read_json(const fs::path& path) {
  std::ifstream stream(path);
  std::stringstream text;
  text << stream.rdbuf();
  return json::parse(text.str());
}

std::string text_of(const json::value& value) {
  return json::value_to<std::string>(value);
}

// Empty where every case of the group comes out as the suite says.
std::vector<std::string> failures_of(const json::object& group) {
  const auto schema = Schema::compile(group.at("schema"));
  if (!schema) return {schema.error().message};
  std::vector<std::string> failures;
  for (const auto& test : group.at("tests").as_array()) {
    const bool expected = test.at("valid").as_bool();
    const auto violations = schema->validate(test.at("data"));
    if (violations.empty() == expected) continue;
    failures.push_back(text_of(test.at("description")) +
                       (expected ? ": should be valid, but " : ": should be invalid") +
                       (violations.empty() ? "" : violations[0].path + " " + violations[0].message));
  }
  return failures;
}

std::size_t run_file(const fs::path& path, const std::string& name, const std::vector<LeftOut>& left_out,
                     std::set<std::string>& used) {
  std::size_t cases = 0;
  for (const auto& group : read_json(path).as_array()) {
    const std::string description = text_of(group.at("description"));
    const auto failures = failures_of(group.as_object());
    const auto listed = std::ranges::find_if(
        left_out, [&](const LeftOut& entry) { return entry.file == name && entry.group == description; });
    if (listed != left_out.end()) {
      used.insert(listed->file + listed->group);
      EXPECT_FALSE(failures.empty()) << name << ": \"" << description << "\" passes: take it off the list";
      continue;
    }
    cases += group.at("tests").as_array().size();
    for (const std::string& failure : failures)
      ADD_FAILURE() << name << ": " << description << ": " << failure;
  }
  return cases;
}

// The number of cases that ran.
std::size_t run_suite(const fs::path& folder, const std::vector<std::string>& files,
                      const std::vector<LeftOut>& left_out) {
  std::set<std::string> used;
  std::size_t cases = 0;
  for (const std::string& name : files) {
    const bool whole_file = std::ranges::any_of(
        left_out, [&](const LeftOut& entry) { return entry.file == name && entry.group.empty(); });
    if (whole_file) {
      used.insert(name);
    } else {
      cases += run_file(folder / name, name, left_out, used);
    }
  }
  for (const LeftOut& entry : left_out) {
    EXPECT_TRUE(used.contains(entry.file + entry.group))
        << "nothing to leave out: " << entry.file << ": " << entry.group;
  }
  return cases;
}

TEST(JsonSchemaSuite, every_group_of_draft_2020_12_holds_but_those_listed) {
  const fs::path folder =
      fs::path(GANGLION_SOURCE_DIR) / "build/cache/json-schema-test-suite/tests/draft2020-12";
  if (!fs::exists(folder)) GTEST_SKIP() << "no " << folder << "; run scripts/fetch-schema-suite";
  const std::string remote = "refers to another document";
  const std::string metaschema = "refers to the metaschema, which is another document";
  const std::string dialect = "asks for another dialect by $schema";
  const std::string re2 = "RE2 has no long names of Unicode properties";
  const std::vector<LeftOut> left_out = {
      {"refRemote.json", "", remote},
      {"vocabulary.json", "", dialect},
      {"optional/format-assertion.json", "", dialect},
      {"optional/cross-draft.json", "", dialect},
      {"optional/dependencies-compatibility.json", "", "`dependencies` is no keyword of 2020-12"},
      {"defs.json", "validate definition against metaschema", metaschema},
      {"ref.json", "remote ref, containing refs itself", metaschema},
      {"optional/ecmascript-regex.json", "\\a is not an ECMA 262 control escape", metaschema},
      {"optional/ecmascript-regex.json", "patterns always use unicode semantics with pattern", re2},
      {"optional/ecmascript-regex.json", "pattern with non-ASCII digits", re2},
      {"optional/ecmascript-regex.json", "patterns always use unicode semantics with patternProperties", re2},
      {"optional/ecmascript-regex.json", "patternProperties with non-ASCII digits", re2},
      {"dynamicRef.json", "strict-tree schema, guards against misspelled properties", remote},
      {"dynamicRef.json", "tests for implementation dynamic anchor and reference link", remote},
      {"dynamicRef.json", "$ref and $dynamicAnchor are independent of order - $defs first", remote},
      {"dynamicRef.json", "$ref and $dynamicAnchor are independent of order - $ref first", remote},
      {"dynamicRef.json", "$ref to $dynamicRef finds detached $dynamicAnchor", remote},
  };
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = fs::relative(entry.path(), folder).string();
    if (entry.path().extension() == ".json" && !name.starts_with("optional/format/")) files.push_back(name);
  }
  std::ranges::sort(files);
  EXPECT_GT(run_suite(folder, files, left_out), 1000U);
}

TEST(JsonSchemaSuite, draft_7_holds_where_its_keywords_mean_the_same) {
  const fs::path folder = "/usr/share/json-schema-test-suite/tests/draft7";
  if (!fs::exists(folder)) GTEST_SKIP() << "no " << folder << "; install json-schema-test-suite";
  const std::vector<LeftOut> left_out = {};
  const std::vector<std::string> files = {"additionalProperties.json",
                                          "allOf.json",
                                          "anyOf.json",
                                          "boolean_schema.json",
                                          "const.json",
                                          "contains.json",
                                          "default.json",
                                          "enum.json",
                                          "exclusiveMaximum.json",
                                          "format.json",
                                          "exclusiveMinimum.json",
                                          "if-then-else.json",
                                          "maxItems.json",
                                          "maxLength.json",
                                          "maxProperties.json",
                                          "maximum.json",
                                          "minItems.json",
                                          "minLength.json",
                                          "minProperties.json",
                                          "minimum.json",
                                          "multipleOf.json",
                                          "not.json",
                                          "oneOf.json",
                                          "pattern.json",
                                          "patternProperties.json",
                                          "properties.json",
                                          "propertyNames.json",
                                          "required.json",
                                          "type.json",
                                          "uniqueItems.json",
                                          "optional/bignum.json",
                                          "infinite-loop-detection.json",
                                          "optional/float-overflow.json"};
  std::vector<std::string> present;
  for (const std::string& file : files) {
    if (fs::exists(folder / file)) present.push_back(file);
  }
  EXPECT_GT(run_suite(folder, present, left_out), 300U);
}

}  // namespace
}  // namespace ganglion::schema
