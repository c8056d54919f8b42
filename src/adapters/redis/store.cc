#include "adapters/redis/store.h"

#include <utility>

#include "adapters/redis/codec.h"
#include "adapters/redis/commit_codec.h"
#include "adapters/redis/engine.h"
#include "base/assert.h"
#include "base/overloaded.h"
#include "base/sha256.h"
#include "ports/commit_check.h"
#include "ports/state_rules.h"

namespace ganglion::redis {
namespace {

// An answer that says no more than that it was done.
Result<void> nothing(Unpacker&) {
  return {};
}

Result<std::uint64_t> count(Unpacker& answer) {
  const std::uint64_t number = answer.number();
  if (!answer.intact()) return std::unexpected(damaged("a count"));
  return number;
}

Packer operation(std::string_view name, std::size_t fields) {
  Packer packer;
  packer.map(1 + fields).text("op").text(name);
  return packer;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(boost::asio::io_context& context, Options options) {
  Result<Url> url = parse_url(options.url);
  if (!url) return std::unexpected(url.error());
  auto engine = std::make_unique<Engine>(context, std::move(*url), std::move(options));
  if (const Result<void> opened = engine->open(); !opened) return std::unexpected(opened.error());
  return std::unique_ptr<Store>(new Store(std::move(engine)));
}

Store::Store(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}

Store::~Store() = default;

void Store::commit(Commit commit, Completion<CommitOutcome> done) {
  assert_well_formed(commit);
  engine_->write(pack_commit(commit), [engine = engine_.get(), done = std::move(done)](
                                          std::expected<Unpacker, std::string> answer) mutable {
    if (!answer) return done(StoreUnavailable{std::move(answer.error())});
    std::optional<CommitOutcome> outcome = unpack_outcome(*answer);
    if (!outcome) return engine->die("Redis answered a commit with what is no answer");
    done(std::move(*outcome));
  });
}

void Store::put_definition(std::string digest, std::string source, Completion<Result<void>> done) {
  Packer put = operation("put_definition", 2);
  put.text("digest").text(digest).text("source").text(source);
  engine_->write<void>(put.take(), nothing, std::move(done));
}

void Store::put_setting(std::string name, std::string value, Completion<Result<void>> done) {
  Packer put = operation("put_setting", 2);
  put.text("name").text(name).text("value").text(value);
  engine_->write<void>(put.take(), nothing, std::move(done));
}

void Store::put_record(Record record, Completion<Result<void>> done) {
  Packer put = operation("put_record", 6);
  pack_record(put, record);
  engine_->write<void>(put.take(), nothing, std::move(done));
}

void Store::remove_records(RecordKind kind, std::optional<std::string> id,
                           Completion<Result<std::uint64_t>> done) {
  Packer remove = operation("remove_records", id ? 2 : 1);
  remove.text("kind").text(kind_name(kind));
  if (id) remove.text("id").text(*id);
  engine_->write<std::uint64_t>(remove.take(), count, std::move(done));
}

void Store::append_events(std::vector<TopicEvent> events, Completion<Result<std::vector<Appended>>> done) {
  Packer append = operation("append_events", 1);
  append.text("events").array(events.size());
  for (const TopicEvent& event : events) pack_event(append, event);
  const auto read = [](Unpacker& answer) -> Result<std::vector<Appended>> {
    std::vector<Appended> appended;
    for (std::size_t left = answer.array(); left > 0 && answer.intact(); --left) {
      answer.array();
      const std::uint64_t seq = answer.number();
      appended.push_back({.seq = seq, .existed = answer.boolean()});
    }
    if (!answer.intact()) return std::unexpected(damaged("events that were appended"));
    return appended;
  };
  engine_->write<std::vector<Appended>>(append.take(), read, std::move(done));
}

// --- state
// --------------------------------------------------------------------------------------------------------

namespace {

void pack_precondition(Packer& packer, const StatePrecondition& precondition) {
  std::visit(Overloaded{[&](AnyVersion) { packer.boolean(false); }, [&](KeyAbsent) { packer.boolean(true); },
                        [&](KeyVersion wanted) { packer.number(wanted.version); }},
             precondition);
}

using StateRefusal = std::variant<StateConflict, Error>;

// [word, …]
StateOutcome read_outcome(Unpacker answer) {
  answer.array();
  const std::string_view word = answer.text();
  if (word == "too_large") return std::unexpected(StateRefusal(state_too_large()));
  if (word == "conflict") {
    StateConflict conflict;
    if (answer.absent()) return std::unexpected(StateRefusal(std::move(conflict)));
    conflict.current = unpack_state_entry(answer.text());
    if (conflict.current) return std::unexpected(StateRefusal(std::move(conflict)));
  }
  const std::uint64_t version = answer.number();
  if (word != "written" || !answer.intact()) return std::unexpected(StateRefusal(damaged("a state value")));
  return version;
}

}  // namespace

void Store::write_state(std::string session, StateWrite change, StatePrecondition precondition,
                        Completion<StateOutcome> done) {
  Packer write = operation("write_state", 6);
  write.text("session").text(session).text("history").number(kStateHistory);
  write.text("max_keys").number(kMaxStateKeys).text("max_bytes").number(kMaxStateBytes);
  write.text("precondition");
  pack_precondition(write, precondition);
  write.text("write");
  pack_state_write(write, change);
  engine_->write(write.take(), [done = std::move(done)](std::expected<Unpacker, std::string> answer) mutable {
    if (answer) return done(read_outcome(*answer));
    done(std::unexpected(StateRefusal(Error{"unavailable", std::move(answer.error())})));
  });
}

void Store::expire_state(Timestamp now, std::uint32_t limit,
                         Completion<Result<std::vector<ExpiredState>>> done) {
  Packer expire = operation("expire_state", 3);
  expire.text("now").integer(now.milliseconds_since_epoch()).text("limit").number(limit);
  expire.text("history").number(kStateHistory);
  const auto read = [](Unpacker& answer) -> Result<std::vector<ExpiredState>> {
    std::vector<ExpiredState> expired;
    for (std::size_t left = answer.array(); left > 0 && answer.intact(); --left) {
      answer.array();
      std::string session(answer.text());
      expired.push_back({.session = std::move(session), .version = answer.number()});
    }
    if (!answer.intact()) return std::unexpected(damaged("state that has expired"));
    return expired;
  };
  engine_->write<std::vector<ExpiredState>>(expire.take(), read, std::move(done));
}

// --- blobs, garbage
// -----------------------------------------------------------------------------------------------

void Store::put_blob(std::string digest, std::string content, Timestamp now, Completion<Result<void>> done) {
  GANGLION_ASSERT(is_sha256_hex(digest) && content.size() <= kMaxBlob);
  Packer put = operation("put_blob", 3);
  put.text("digest").text(digest).text("content").text(content);
  put.text("now").integer(now.milliseconds_since_epoch());
  engine_->write<void>(put.take(), nothing, std::move(done));
}

void Store::collect_garbage(Timestamp now, Timestamp unused_since, std::uint32_t limit,
                            Completion<Result<std::uint64_t>> done) {
  Packer collect = operation("collect", 3);
  collect.text("now").integer(now.milliseconds_since_epoch());
  collect.text("unused_since").integer(unused_since.milliseconds_since_epoch()).text("limit").number(limit);
  engine_->write<std::uint64_t>(collect.take(), count, std::move(done));
}

std::vector<std::string> Store::weaker_promises() const {
  return engine_->weaker_promises();
}

}  // namespace ganglion::redis
