#include "adapters/postgres/audit.h"

#include <array>
#include <utility>

#include "adapters/postgres/audit_schema.h"
#include "adapters/postgres/rows.h"
#include "adapters/postgres/trouble.h"

namespace ganglion::postgres {
namespace {

const Statement kMakeSchema{"make_schema", audit_schema()};
const Statement kIdentify{"identify", "SELECT id::text FROM identity LIMIT 1"};
const Statement kFindPositions{"find_positions",
                               "SELECT coalesce(r.seq, 0) FROM unnest($1::uuid[]) WITH ORDINALITY p(run, n) "
                               "LEFT JOIN runs r ON r.id = p.run ORDER BY p.n"};
const Statement kAppend{
    "append",
    "SELECT append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)"};

constexpr std::array kToMake = {&kMakeSchema};
constexpr std::array kToCopy = {&kIdentify, &kFindPositions, &kAppend};

const Params kNone;

Error unavailable(const std::string& why) {
  return {"unavailable", "the audit can't be reached: " + why};
}

// A row that can't be held whatever is tried: by its data, by a constraint, or for a limit of the server. All
// else, missing privileges among them, is the same for every row and can be put right.
bool is_of_the_row(std::string_view sqlstate) {
  return sqlstate.starts_with("22") || sqlstate.starts_with("23") || sqlstate.starts_with("54");
}

// What the copier makes of it.
Error error_of(const PGresult& result) {
  const std::string sqlstate = sqlstate_of(result);
  const std::string message = message_of(result);
  if (sqlstate == kGap) return {"gap", message};
  if (is_of_the_row(sqlstate)) return {"refused", "the audit refuses it: " + message};
  return {"unavailable", "the audit can't do it for now: " + message};
}

void add_records(Params& params, const std::vector<JournalGrowth>& growth) {
  Array id(Type::uuid), workflow(Type::text), definition(Type::text), session(Type::text),
      labels(Type::bytes), parent(Type::uuid), created(Type::integer), status(Type::text),
      ended(Type::integer), usage(Type::bytes);
  for (const auto& [record, entries] : growth) {
    id.add(record.id);
    workflow.add_text(record.workflow);
    definition.add_text(record.definition);
    session.add_text(record.session_id);
    labels.add_bytes(labels_text(record.labels));
    parent.add(record.parent);
    created.add(record.created_at);
    status.add_text(record.status);
    ended.add(record.ended_at);
    usage.add_bytes(record.usage);
  }
  params.add(std::move(id)).add(std::move(workflow)).add(std::move(definition)).add(std::move(session));
  params.add(std::move(labels)).add(std::move(parent)).add(std::move(created)).add(std::move(status));
  params.add(std::move(ended)).add(std::move(usage));
}

void add_entries(Params& params, const std::vector<JournalGrowth>& growth) {
  Array run(Type::uuid), seq(Type::integer), at(Type::integer), type(Type::text), step(Type::text),
      item(Type::integer), attempt(Type::integer), data(Type::bytes);
  for (const auto& [record, entries] : growth) {
    for (const JournalEntry& entry : entries) {
      run.add(record.id);
      seq.add(entry.seq);
      at.add(entry.at);
      type.add_text(entry.type);
      step.add_text(entry.step);
      item.add(entry.item);
      attempt.add(entry.attempt);
      data.add_bytes(entry.data);
    }
  }
  params.add(std::move(run)).add(std::move(seq)).add(std::move(at)).add(std::move(type));
  params.add(std::move(step)).add(std::move(item)).add(std::move(attempt)).add(std::move(data));
}

}  // namespace

Result<std::unique_ptr<Audit>> Audit::open(asio::io_context& loop, const std::string& url) {
  if (!is_url(url)) {
    return fail("invalid_audit", "\"" + url.substr(0, url.find(':') + 1) +
                                     "\" can't hold the audit; write postgres://USER@HOST/DATABASE");
  }
  if (const auto& library = load_pq(); !library) return std::unexpected(library.error());
  Result<Address> address = parse_address(url, kDefaultAuditSchema);
  if (!address) return fail("invalid_audit", "--audit: " + address.error().message);
  return std::unique_ptr<Audit>(new Audit(loop, std::move(*address)));
}

Audit::Audit(asio::io_context& loop, Address address) : loop_(loop), address_(std::move(address)) {
  making_ = std::make_unique<Link>(loop_, address_, kToMake,
                                   Link::Handlers{.ready = [this] { make_schema(); },
                                                  .lost = [this](const std::string& why) { lost(why); }});
}

Audit::~Audit() = default;

// --- the connection
// ------------------------------------------------------------------------------------------------------

void Audit::make_schema() {
  making_->connection().send(kMakeSchema, kNone, [this](ResultPtr result) {
    if (!succeeded(*result)) return making_->give_up(message_of(*result));
    // Not inside a call of the connection that ends with it.
    asio::post(loop_, [this, alive = std::weak_ptr(alive_)] {
      if (alive.expired()) return;
      making_.reset();
      connect();
    });
  });
  making_->connection().sync();
}

void Audit::connect() {
  link_ = std::make_unique<Link>(loop_, address_, kToCopy,
                                 Link::Handlers{.ready = [this] { send_held(); },
                                                .lost = [this](const std::string& why) { lost(why); }});
}

void Audit::lost(const std::string& why) {
  problem_ = why;
  for (OnAnswer& done : std::exchange(under_way_, {})) refuse(std::move(done), why);
  for (Held& held : std::exchange(held_, {})) refuse(std::move(held.done), why);
}

// --- calls
// ------------------------------------------------------------------------------------------------------

void Audit::refuse(OnAnswer done, const std::string& why) {
  asio::post(loop_, [alive = std::weak_ptr(alive_), done = std::move(done), why]() mutable {
    if (!alive.expired()) done(std::unexpected(unavailable(why)));
  });
}

void Audit::call(const Statement& statement, Params params, OnAnswer done) {
  if (!link_ || !link_->is_ready()) {
    if (problem_) return refuse(std::move(done), *problem_);
    held_.push_back({{&statement, std::move(params)}, std::move(done)});
    return;
  }
  under_way_.push_back(std::move(done));
  link_->connection().send(statement, params, [this](ResultPtr result) { answered(std::move(result)); });
  link_->connection().sync();
}

void Audit::send_held() {
  for (auto& [held, done] : std::exchange(held_, {}))
    call(*held.statement, std::move(held.params), std::move(done));
}

void Audit::answered(ResultPtr result) {
  if (!succeeded(*result) && trouble_of(sqlstate_of(*result)) == Trouble::lost)
    return link_->connection().drop(message_of(*result));
  OnAnswer done = std::move(under_way_.front());
  under_way_.pop_front();
  asio::post(loop_,
             [alive = std::weak_ptr(alive_), done = std::move(done), result = std::move(result)]() mutable {
               if (alive.expired()) return;
               if (succeeded(*result)) return done(std::move(result));
               done(std::unexpected(error_of(*result)));
             });
}

void Audit::identify(Completion<Result<std::string>> done) {
  call(kIdentify, kNone, [done = std::move(done)](Result<ResultPtr> result) mutable {
    if (!result) return done(std::unexpected(result.error()));
    if (rows_of(**result) == 0) return done(std::unexpected(unavailable("its table `identity` is empty")));
    done(Row(**result, 0).text(0));
  });
}

void Audit::find_positions(std::vector<RunId> runs, Completion<Result<std::vector<JournalPosition>>> done) {
  Array ids(Type::uuid);
  for (const RunId& run : runs) ids.add(run);
  call(kFindPositions, std::move(Params().add(std::move(ids))),
       [runs = std::move(runs), done = std::move(done)](Result<ResultPtr> result) mutable {
         if (!result) return done(std::unexpected(result.error()));
         std::vector<JournalPosition> positions;
         for (std::size_t i = 0; i < runs.size(); ++i)
           positions.push_back({runs[i], Row(**result, static_cast<int>(i)).number(0)});
         done(std::move(positions));
       });
}

void Audit::append(std::vector<JournalGrowth> growth, Completion<Result<void>> done) {
  Params params;
  add_records(params, growth);
  add_entries(params, growth);
  call(kAppend, std::move(params), [done = std::move(done)](Result<ResultPtr> result) mutable {
    if (!result) return done(std::unexpected(result.error()));
    done({});
  });
}

}  // namespace ganglion::postgres
