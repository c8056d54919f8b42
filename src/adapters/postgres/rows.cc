#include "adapters/postgres/rows.h"

#include "base/json_text.h"

namespace ganglion::postgres {
namespace {

std::optional<std::map<std::string, std::string>> read_labels(const std::string& json) {
  std::map<std::string, std::string> labels;
  JsonMembers members(json);
  while (const auto member = members.next()) {
    Result<std::string> name = read_json_string('"' + std::string(member->name) + '"');
    Result<std::string> value = read_json_string(member->value);
    if (!name || !value) return std::nullopt;
    labels.emplace(std::move(*name), std::move(*value));
  }
  if (!members.intact()) return std::nullopt;
  return labels;
}

std::optional<std::uint32_t> small_number(const Row& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return static_cast<std::uint32_t>(row.integer(column));
}

}  // namespace

std::int64_t number_of(RecordKind kind) {
  switch (kind) {
    case RecordKind::approval:
      return 1;
    case RecordKind::dead_letter:
      return 2;
  }
  return 0;
}

std::string labels_text(const std::map<std::string, std::string>& labels) {
  JsonObject object;
  for (const auto& [name, value] : labels) object.add(name, value);
  return object.finish();
}

JournalEntry read_entry(const Row& row) {
  return {.seq = row.number(0),
          .at = row.time(1),
          .type = row.text(2),
          .step = row.optional_text(3),
          .item = small_number(row, 4),
          .attempt = small_number(row, 5),
          .data = std::string(row.bytes(6))};
}

Result<RunRecord> read_run(const Row& row, int first) {
  auto labels = read_labels(row.text(first + 5));
  const RunId id = row.run(first);
  if (!labels) return fail("store_corrupt", "the labels of run " + id.text() + " can't be read");
  return RunRecord{.id = id,
                   .workflow = row.text(first + 1),
                   .definition = row.text(first + 2),
                   .status = row.text(first + 3),
                   .session_id = row.optional_text(first + 4),
                   .labels = std::move(*labels),
                   .parent = row.optional_run(first + 8),
                   .created_at = row.time(first + 6),
                   .ended_at = row.optional_time(first + 7),
                   .usage = row.text(first + 9)};
}

Record read_record(RecordKind kind, const Row& row) {
  return {.kind = kind,
          .id = row.text(0),
          .run = row.optional_run(1),
          .at = row.time(2),
          .data = std::string(row.bytes(3))};
}

TopicEvent read_event(const Row& row) {
  return {.seq = row.number(0),
          .id = row.text(3),
          .source = row.text(2),
          .topic = row.text(1),
          .version = static_cast<std::uint32_t>(row.integer(4)),
          .time = row.time(5),
          .subject = row.optional_text(6),
          .data = Payload(std::string(row.bytes(11))),
          .run = row.optional_run(7),
          .step = row.optional_text(8),
          .cause = row.optional_number(9),
          .hops = static_cast<std::uint32_t>(row.integer(10))};
}

}  // namespace ganglion::postgres
