#include "adapters/postgres/writer.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "adapters/postgres/promises.h"
#include "adapters/postgres/trouble.h"
#include "base/assert.h"

namespace ganglion::postgres {
namespace {

using Steady = std::chrono::steady_clock;

const Params kNone;

std::string refusal(const std::string& why) {
  return "the store can't be written: " + why;
}

}  // namespace

Writer::Writer(asio::io_context& loop, const Address& address, Options options)
    : loop_(loop),
      options_(std::move(options)),
      queue_(options_.max_queued_bytes),
      renewal_(loop.get_executor()),
      link_(loop, address, writer_statements(),
            {.ready = [this] { ready(); }, .lost = [this](const std::string& why) { lost(why); }}) {
  renew_later();
}

void Writer::push(Write write) {
  queue_.push(std::move(write));
  if (phase_ == Phase::idle) start_next();
}

// --- the connection
// ------------------------------------------------------------------------------------------------------

void Writer::ready() {
  phase_ = Phase::entering;
  Connection& connection = link_.connection();
  if (backend_.pid != 0) {
    // That it may be missing, or another role's, is no harm: `enter` waits for it.
    connection.send(kEndOther, std::move(Params().add(backend_.pid).add_text(backend_.started)),
                    [](ResultPtr) {});
    connection.sync();
  }
  backend_ = connection.backend();
  connection.send(kAskPromises, kNone, [this](ResultPtr result) {
    if (succeeded(*result)) options_.connected(weaker_promises_of(*result));
  });
  connection.send(kEnter, std::move(Params().add(RunId::from_bytes(options_.id)).add(++epoch_)),
                  [this](ResultPtr result) { entered(*result); });
  connection.sync();
}

void Writer::entered(const PGresult& result) {
  if (!succeeded(result)) return link_.connection().drop(message_of(result));
  const std::uint64_t last = Row(result, 0).number(0);
  if (last < acknowledged_) {
    return fail_for_good("the server has lost commits that it had confirmed (group " + std::to_string(last) +
                         " is its last one, " + std::to_string(acknowledged_) + " was confirmed)");
  }
  phase_ = Phase::idle;
  if (std::exchange(in_doubt_, false) && last == last_number_) return finish();
  if (group_.empty())
    start_next();
  else
    send_group();
}

void Writer::lost(const std::string& why) {
  if (phase_ == Phase::failed) return;
  // A server that answers and doesn't let us enter is away all the same.
  if (phase_ != Phase::away && phase_ != Phase::entering) away_since_ = Steady::now();
  in_doubt_ |= phase_ == Phase::committing;
  phase_ = Phase::away;
  // It may be one of them that ends the connection each time.
  if (!in_doubt_ && attempts_ >= kMaxAttempts && !group_.empty()) single_out(why);
  refuse_old(why);
}

// Only what is certainly not written: a group in doubt keeps waiting, and may be overtaken by refusals.
void Writer::refuse_old(const std::string& why) {
  if (Steady::now() - away_since_ < options_.patience) return;
  std::vector<Write> old;
  if (!in_doubt_) old = std::exchange(group_, {});
  std::ranges::move(std::exchange(one_by_one_, {}), std::back_inserter(old));
  std::ranges::move(queue_.take_older_than(options_.patience), std::back_inserter(old));
  for (Write& write : old) write.refused = refusal(why);
  tell(std::move(old));
}

void Writer::fail_for_good(const std::string& why) {
  phase_ = Phase::failed;
  options_.fatal(why);
}

// By a write of nothing.
void Writer::renew_later() {
  renewal_.expires_after(options_.renewal);
  renewal_.async_wait([this, alive = std::weak_ptr(alive_)](boost::system::error_code cancelled) {
    if (cancelled || alive.expired()) return;
    push({.done = [](WriteAnswer) {}});
    renew_later();
  });
}

// --- one group after another
// ------------------------------------------------------------------------------------------------------

void Writer::start_next() {
  while (group_.empty()) {
    attempts_ = 0;
    if (!one_by_one_.empty()) {
      group_.push_back(std::move(one_by_one_.front()));
      one_by_one_.pop_front();
    } else if (!queue_.empty()) {
      group_ = queue_.take_group();
    } else {
      return;
    }
    // Nothing but refusals needs no transaction.
    if (std::ranges::none_of(group_, [](const Write& write) { return write.refused.empty(); }))
      tell(std::exchange(group_, {}));
  }
  send_group();
}

void Writer::send_group() {
  phase_ = Phase::writing;
  failure_.reset();
  ++attempts_;
  ++last_number_;
  Connection& connection = link_.connection();
  answers_left_ = 2;
  connection.send(kBegin, kNone, [this](ResultPtr result) { answered(*result); });
  connection.send(kBeginGroup, group_params(), [this](ResultPtr result) { answered(*result); });
  for (Write& write : group_) {
    write.results.clear();
    answers_left_ += write.calls.size();
    for (const Call& call : write.calls) {
      connection.send(*call.statement, call.params, [this, &write](ResultPtr result) {
        write.results.push_back(std::move(result));
        answered(*write.results.back());
      });
    }
  }
  connection.sync();
}

Params Writer::group_params() {
  Array runs(Type::uuid);
  Array sessions(Type::text);
  bool claims = false;
  bool publishes = false;
  Timestamp time;
  for (const Write& write : group_) {
    if (!write.refused.empty()) continue;
    for (const RunId& run : write.locks.runs) runs.add(run);
    for (const std::string& session : write.locks.sessions) sessions.add_text(session);
    claims |= write.locks.claims;
    publishes |= write.locks.publishes;
    time = std::max(time, write.time);
  }
  Params params;
  params.add(RunId::from_bytes(options_.id)).add(epoch_).add(last_number_).add(time);
  params.add(std::move(runs)).add(std::move(sessions)).add(claims).add(publishes);
  return params;
}

void Writer::answered(const PGresult& result) {
  // What was skipped after a failure is a failure, too, but not the reason.
  if (!succeeded(result) && !failure_) failure_ = Failure{sqlstate_of(result), message_of(result)};
  if (--answers_left_ == 0) all_answered();
}

void Writer::all_answered() {
  Connection& connection = link_.connection();
  if (!failure_) {
    phase_ = Phase::committing;
    connection.send(kCommitTransaction, kNone, [this](ResultPtr result) { commit_answered(*result); });
  } else if (trouble_of(failure_->sqlstate) == Trouble::lost) {
    return connection.drop(failure_->message);
  } else {
    phase_ = Phase::rolling_back;
    connection.send(kRollBack, kNone, [this](ResultPtr) { group_failed(); });
  }
  connection.sync();
}

void Writer::commit_answered(const PGresult& result) {
  if (succeeded(result)) return finish();
  failure_ = Failure{sqlstate_of(result), message_of(result)};
  // It may have been committed before the server began to stop.
  if (trouble_of(failure_->sqlstate) == Trouble::lost) return link_.connection().drop(failure_->message);
  group_failed();
}

void Writer::finish() {
  acknowledged_ = last_number_;
  statistics_.groups += 1;
  statistics_.writes += group_.size();
  tell(std::exchange(group_, {}));
  phase_ = Phase::idle;
  start_next();
}

void Writer::group_failed() {
  phase_ = Phase::idle;
  switch (trouble_of(failure_->sqlstate)) {
    case Trouble::lost:
      return link_.connection().drop(failure_->message);
    case Trouble::try_again:
      if (attempts_ >= kMaxAttempts) refuse_group(failure_->message);
      break;
    case Trouble::no_room:
      refuse_group(failure_->message);
      break;
    case Trouble::one_at_fault:
      single_out(failure_->message);
      break;
  }
  if (group_.empty())
    start_next();
  else
    send_group();
}

// Which of the group is at fault is found by making one at a time.
void Writer::single_out(const std::string& why) {
  if (group_.size() == 1) return refuse_group(why);
  std::ranges::move(std::exchange(group_, {}), std::back_inserter(one_by_one_));
}

void Writer::refuse_group(const std::string& why) {
  for (Write& write : group_) {
    if (write.refused.empty()) write.refused = refusal(why);
  }
  tell(std::exchange(group_, {}));
}

// In one piece, and never inside a call of the store.
void Writer::tell(std::vector<Write> writes) {
  if (writes.empty()) return;
  asio::post(loop_, [alive = std::weak_ptr(alive_), writes = std::move(writes)]() mutable {
    for (Write& write : writes) {
      if (alive.expired()) return;
      if (write.refused.empty())
        write.done(Results(write.results));
      else
        write.done(std::unexpected(write.refused));
    }
  });
}

}  // namespace ganglion::postgres
