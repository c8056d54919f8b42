#include "adapters/sqlite/event_table.h"

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>

#include "core/topic.h"

namespace ganglion::sqlite {
namespace {

// Events that a reading looks at before commits get their turn: about a millisecond.
constexpr int kEventsPerSlice = 500;
// Of events in one answer.
constexpr std::size_t kMaxAnswerBytes = 4 << 20;
constexpr std::uint64_t kAfterEverySeq = std::numeric_limits<std::int64_t>::max();

// Those with ?1 < seq < ?2. The columns are in the order in which read_event takes them; what a pattern looks
// at comes first, so that an event that doesn't match is not read further.
std::string select_events(std::string_view where, std::string_view order) {
  return "SELECT seq, topic, source, id, version, time, subject, run, step, cause, hops, data FROM events " +
         std::string(where) + " seq > ?1 AND seq < ?2 ORDER BY seq " + std::string(order);
}
constexpr std::string_view kOnTopic = "INDEXED BY events_by_topic WHERE topic = ?3 AND";

std::optional<std::uint64_t> optional_number(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return row.number(column);
}

DatabaseResult<TopicEvent> read_event(const Statement& row) {
  TopicEvent event{.seq = row.number(0),
                   .id = row.text(3),
                   .source = row.text(2),
                   .topic = row.text(1),
                   .version = static_cast<std::uint32_t>(row.integer(4)),
                   .time = row.time(5),
                   .subject = row.optional_text(6),
                   .data = Payload(row.text(11)),
                   .run = {},
                   .step = row.optional_text(8),
                   .cause = optional_number(row, 9),
                   .hops = static_cast<std::uint32_t>(row.integer(10))};
  if (row.is_null(7)) return event;
  event.run = RunId::parse(row.text(7));
  if (!event.run) return std::unexpected(DatabaseError::corruption("an event names no run"));
  return event;
}

// A topic or pattern that a damaged file may hold is not handed to the matcher.
bool passes(const std::string& topic, const std::string& pattern) {
  return pattern == "**" || pattern == topic || (is_topic(topic) && topic_matches(pattern, topic));
}

bool is_wild(const std::string& pattern) {
  return pattern.find('*') != std::string::npos;
}

}  // namespace

EventTable::EventTable(Database& database, BlobTable& blobs)
    : database_(database),
      blobs_(blobs),
      find_(database.prepare("SELECT seq FROM events WHERE source = ? AND id = ?")),
      insert_(database.prepare("INSERT INTO events(topic, source, id, version, time, subject, run, step, "
                               "cause, hops, data) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")),
      last_(database.prepare("SELECT max(seq) FROM events")),
      newest_first_(database.prepare(select_events("WHERE", "DESC"))),
      newest_first_on_(database.prepare(select_events(kOnTopic, "DESC"))),
      oldest_first_(database.prepare(select_events("WHERE", "ASC"))),
      oldest_first_on_(database.prepare(select_events(kOnTopic, "ASC"))) {}

DatabaseResult<Appended> EventTable::append(const TopicEvent& event) {
  const ResetAtEnd reset(find_);
  const DatabaseResult<bool> known = find_.bind(1, event.source).bind(2, event.id).step();
  if (!known) return std::unexpected(known.error());
  if (*known) return Appended{find_.number(0), true};
  insert_.bind(1, event.topic)
      .bind(2, event.source)
      .bind(3, event.id)
      .bind_number(4, event.version)
      .bind(5, event.time)
      .bind(6, event.subject);
  if (event.run) insert_.bind(7, *event.run);
  insert_.bind(8, event.step);
  if (event.cause) insert_.bind_number(9, *event.cause);
  insert_.bind_number(10, event.hops).bind(11, event.data.bytes());
  if (const auto inserted = insert_.run(); !inserted) return std::unexpected(inserted.error());
  // Before the references, which insert rows as well.
  const Appended appended{static_cast<std::uint64_t>(database_.last_insert_rowid()), false};
  if (const auto referred = blobs_.refer_from(event.data.bytes()); !referred)
    return std::unexpected(referred.error());
  return appended;
}

Statement& EventTable::start(const EventScan& scan) {
  const EventQuery& query = scan.query;
  const bool wild = is_wild(query.pattern);
  Statement& rows =
      query.after ? (wild ? oldest_first_ : oldest_first_on_) : (wild ? newest_first_ : newest_first_on_);
  const auto bound = [](std::uint64_t seq) { return std::min(seq, kAfterEverySeq); };
  rows.bind_number(1, bound(query.after.value_or(0)));
  rows.bind_number(2, bound(query.before.value_or(kAfterEverySeq)));
  return wild ? rows : rows.bind(3, query.pattern);
}

Result<bool> EventTable::advance(EventScan& scan) {
  Statement& rows = start(scan);
  const ResetAtEnd reset(rows);
  for (int looked_at = 0; looked_at < kEventsPerSlice; ++looked_at) {
    if (scan.found.size() >= scan.query.limit || scan.bytes >= kMaxAnswerBytes) return true;
    const DatabaseResult<bool> row = rows.step();
    if (!row) return std::unexpected(row.error().as_read_error());
    if (!*row) return true;
    // Where to go on.
    (scan.query.after ? scan.query.after : scan.query.before) = rows.number(0);
    if (!passes(rows.text(1), scan.query.pattern)) continue;
    DatabaseResult<TopicEvent> event = read_event(rows);
    if (!event) return std::unexpected(event.error().as_read_error());
    scan.bytes += event->data.size();
    scan.found.push_back(std::move(*event));
  }
  return false;
}

Result<std::uint64_t> EventTable::last() {
  const ResetAtEnd reset(last_);
  const DatabaseResult<bool> row = last_.step();
  if (!row) return std::unexpected(row.error().as_read_error());
  return last_.number(0);
}

}  // namespace ganglion::sqlite
