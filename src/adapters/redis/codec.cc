#include "adapters/redis/codec.h"

#include <utility>

#include "core/blob_references.h"

namespace ganglion::redis {
namespace {

void pack_optional(Packer& packer, const std::optional<std::string>& text) {
  text ? packer.text(*text) : packer.nil();
}

void pack_optional(Packer& packer, const std::optional<RunId>& run) {
  run ? packer.text(run->text()) : packer.nil();
}

void pack_optional(Packer& packer, std::optional<std::uint64_t> number) {
  number ? packer.number(*number) : packer.nil();
}

void pack_time(Packer& packer, std::optional<Timestamp> time) {
  time ? packer.integer(time->milliseconds_since_epoch()) : packer.nil();
}

std::optional<std::string> optional_text(Unpacker& bytes) {
  if (bytes.absent()) return std::nullopt;
  return std::string(bytes.text());
}

std::optional<std::uint32_t> optional_number(Unpacker& bytes) {
  if (bytes.absent()) return std::nullopt;
  return static_cast<std::uint32_t>(bytes.number());
}

std::optional<Timestamp> optional_time(Unpacker& bytes) {
  if (bytes.absent()) return std::nullopt;
  return Timestamp(bytes.integer());
}

// False where there is a text that is no run id.
bool take_optional_run(Unpacker& bytes, std::optional<RunId>& run) {
  if (bytes.absent()) return true;
  run = RunId::parse(bytes.text());
  return run.has_value();
}

// Of the blobs that a text refers to; nil where there are none.
void pack_references(Packer& packer, std::string_view json) {
  std::vector<std::string> digests;
  find_blob_references(json, digests);
  if (digests.empty()) {
    packer.nil();
    return;
  }
  packer.array(digests.size());
  for (const std::string& digest : digests) packer.text(digest);
}

template <typename T>
std::optional<T> if_intact(const Unpacker& bytes, T value) {
  if (!bytes.intact()) return std::nullopt;
  return value;
}

}  // namespace

// --- journals
// -----------------------------------------------------------------------------------------------------

std::string pack_entry(const JournalEntry& entry) {
  Packer packer;
  packer.integer(entry.at.milliseconds_since_epoch()).text(entry.type);
  pack_optional(packer, entry.step);
  pack_optional(packer, entry.item);
  pack_optional(packer, entry.attempt);
  return packer.text(entry.data).take();
}

std::optional<JournalEntry> unpack_entry(std::string_view packed, std::uint64_t seq) {
  Unpacker bytes(packed);
  JournalEntry entry;
  entry.seq = seq;
  entry.at = Timestamp(bytes.integer());
  entry.type = bytes.text();
  entry.step = optional_text(bytes);
  entry.item = optional_number(bytes);
  entry.attempt = optional_number(bytes);
  entry.data = bytes.text();
  return if_intact(bytes, std::move(entry));
}

std::optional<std::vector<JournalEntry>> unpack_entries(Unpacker& answer, std::uint64_t seq) {
  std::vector<JournalEntry> entries;
  for (std::size_t left = answer.array(); left > 0 && answer.intact(); --left) {
    std::optional<JournalEntry> entry = unpack_entry(answer.text(), seq++);
    if (!entry) return std::nullopt;
    entries.push_back(std::move(*entry));
  }
  return if_intact(answer, std::move(entries));
}

// --- runs
// ---------------------------------------------------------------------------------------------------------

std::string pack_fixed(const RunRecord& record) {
  Packer packer;
  packer.text(record.workflow).text(record.definition);
  pack_optional(packer, record.session_id);
  pack_optional(packer, record.parent);
  packer.integer(record.created_at.milliseconds_since_epoch()).array(2 * record.labels.size());
  for (const auto& [name, value] : record.labels) packer.text(name).text(value);
  return packer.take();
}

std::string pack_rest(std::optional<Timestamp> ended_at, std::string_view usage) {
  Packer packer;
  pack_time(packer, ended_at);
  return packer.text(usage).take();
}

std::optional<RunRecord> unpack_run(Unpacker& answer) {
  if (answer.array() != 4) return std::nullopt;
  const std::optional<RunId> id = RunId::parse(answer.text());
  Unpacker fixed(answer.text());
  RunRecord record;
  record.status = answer.text();
  Unpacker rest(answer.text());
  if (!id || !answer.intact()) return std::nullopt;
  record.id = *id;
  record.workflow = fixed.text();
  record.definition = fixed.text();
  record.session_id = optional_text(fixed);
  if (!take_optional_run(fixed, record.parent)) return std::nullopt;
  record.created_at = Timestamp(fixed.integer());
  for (std::size_t texts = fixed.array(); texts > 0 && fixed.intact(); texts -= 2) {
    std::string name(fixed.text());
    record.labels.emplace(std::move(name), fixed.text());
  }
  record.ended_at = optional_time(rest);
  record.usage = rest.text();
  if (!rest.intact()) return std::nullopt;
  return if_intact(fixed, std::move(record));
}

// --- records
// ------------------------------------------------------------------------------------------------------

std::string_view kind_name(RecordKind kind) {
  switch (kind) {
    case RecordKind::approval:
      return "approval";
    case RecordKind::dead_letter:
      return "dead-letter";
  }
  return {};
}

void pack_record(Packer& packer, const Record& record) {
  packer.text("kind").text(kind_name(record.kind)).text("id").text(record.id).text("run");
  pack_optional(packer, record.run);
  packer.text("at")
      .integer(record.at.milliseconds_since_epoch())
      .text("data")
      .text(record.data)
      .text("digests");
  pack_references(packer, record.data);
}

std::optional<Record> unpack_record(RecordKind kind, std::string_view id, std::string_view stored) {
  Unpacker bytes(stored);
  Record record;
  record.kind = kind;
  record.id = id;
  if (!take_optional_run(bytes, record.run)) return std::nullopt;
  record.at = Timestamp(bytes.integer());
  bytes.raw();  // digests
  record.data = bytes.text();
  return if_intact(bytes, std::move(record));
}

// --- the event log
// ------------------------------------------------------------------------------------------------------

void pack_event(Packer& packer, const TopicEvent& event) {
  Packer stored;
  // The topic comes first: reading by pattern looks at nothing else.
  stored.text(event.topic).text(event.source).text(event.id).number(event.version);
  stored.integer(event.time.milliseconds_since_epoch());
  pack_optional(stored, event.subject);
  pack_optional(stored, event.run);
  pack_optional(stored, event.step);
  pack_optional(stored, event.cause);
  stored.number(event.hops).text(event.data.bytes());
  // The length keeps (source, id) apart from another pair that reads the same.
  const std::string name = std::to_string(event.source.size()) + ':' + event.source + event.id;
  packer.map(4).text("name").text(name).text("topic").text(event.topic).text("bytes").text(stored.take());
  packer.text("digests");
  pack_references(packer, event.data.bytes());
}

std::optional<TopicEvent> unpack_event(std::string_view packed, std::uint64_t seq) {
  Unpacker bytes(packed);
  TopicEvent event;
  event.seq = seq;
  event.topic = bytes.text();
  event.source = bytes.text();
  event.id = bytes.text();
  event.version = static_cast<std::uint32_t>(bytes.number());
  event.time = Timestamp(bytes.integer());
  event.subject = optional_text(bytes);
  if (!take_optional_run(bytes, event.run)) return std::nullopt;
  event.step = optional_text(bytes);
  if (!bytes.absent()) event.cause = bytes.number();
  event.hops = static_cast<std::uint32_t>(bytes.number());
  event.data = Payload(std::string(bytes.text()));
  return if_intact(bytes, std::move(event));
}

std::string lua_pattern(std::string_view topic_pattern) {
  std::string pattern = "^";
  for (std::size_t at = 0; at < topic_pattern.size(); ++at) {
    const char c = topic_pattern[at];
    if (topic_pattern.substr(at).starts_with("**")) {
      pattern += ".+";
      ++at;
    } else if (c == '*') {
      pattern += "[^.]+";
    } else {
      if (c == '.' || c == '-') pattern += '%';
      pattern += c;
    }
  }
  return pattern + '$';
}

// --- state, outputs
// ------------------------------------------------------------------------------------------------------

void pack_state_write(Packer& packer, const StateWrite& write) {
  packer.map(write.value ? 4 : 1).text("key").text(write.key);
  if (!write.value) return;
  packer.text("value").text(write.value->bytes()).text("expires_at");
  pack_time(packer, write.expires_at);
  packer.text("digests");
  pack_references(packer, write.value->bytes());
}

std::optional<StateEntry> unpack_state_entry(std::string_view stored) {
  Unpacker bytes(stored);
  StateEntry entry;
  entry.version = bytes.number();
  entry.expires_at = optional_time(bytes);
  bytes.raw();  // digests
  entry.value = Payload(std::string(bytes.text()));
  return if_intact(bytes, std::move(entry));
}

std::string pack_output(const CachedOutput& output) {
  Packer packer;
  pack_time(packer, output.at);
  pack_time(packer, output.expires_at);
  return packer.text(output.output.bytes()).take();
}

std::optional<CachedOutput> unpack_output(std::string key, std::string_view packed) {
  Unpacker bytes(packed);
  CachedOutput output;
  output.key = std::move(key);
  output.at = Timestamp(bytes.integer());
  output.expires_at = Timestamp(bytes.integer());
  output.output = Payload(std::string(bytes.text()));
  return if_intact(bytes, std::move(output));
}

}  // namespace ganglion::redis
