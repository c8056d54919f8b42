#include "project/topics.h"

#include <charconv>
#include <optional>

#include "project/names.h"
#include "project/values.h"

namespace ganglion::project {
namespace {

constexpr std::uint32_t kMaxVersion = 1'000'000;

std::optional<std::uint32_t> version_of(const std::string& text) {
  std::uint32_t version = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, version);
  if (error != std::errc() || rest != end || text.front() == '0' || version > kMaxVersion)
    return std::nullopt;
  return version;
}

TopicSchemas read_versions(const Field& field, Diagnostics& diagnostics) {
  TopicSchemas schemas;
  const auto versions = Fields(field, diagnostics).take_all();
  if (versions.empty() && field.value->kind == YamlKind::map) {
    diagnostics.add(field.position, field.path,
                    "a topic needs at least one version, such as {1: {type: object}}");
  }
  for (const auto& [name, schema] : versions) {
    const auto version = version_of(name);
    if (!version) {
      diagnostics.add(schema.position, schema.path,
                      "no version: expected a whole number from 1 to " + std::to_string(kMaxVersion) +
                          ", as in {1: {type: object}}");
    }
    auto compiled = read_schema(schema, diagnostics);
    if (version && compiled) schemas.emplace(*version, std::move(*compiled));
  }
  return schemas;
}

}  // namespace

Topics read_topics(const Field& field, Diagnostics& diagnostics) {
  Topics topics;
  for (const auto& [name, topic] : Fields(field, diagnostics).take_all()) {
    check_topic(name, topic, diagnostics);
    topics.emplace(name, read_versions(topic, diagnostics));
  }
  return topics;
}

void check_published(const std::string& topic, const Field& data, const Topics& topics,
                     Diagnostics& diagnostics) {
  const auto declared = topics.find(topic);
  if (declared == topics.end() || declared->second.empty() || has_expression(*data.value)) return;
  const auto& [version, schema] = *declared->second.rbegin();
  Diagnostics unseen("", "");  // what JSON has no form for has been reported
  const auto json = read_json(data, unseen);
  const auto violations = json ? schema.validate_json(*json) : std::unexpected(Error{});
  if (!violations) return;
  for (const schema::Violation& violation : *violations) {
    const Field culprit = field_at(data, violation.path);
    diagnostics.add(culprit.position, culprit.path,
                    "not what version " + std::to_string(version) + " of the topic \"" + topic +
                        "\" wants: " + violation.message);
  }
}

}  // namespace ganglion::project
