#include "adapters/postgres/connection.h"

#include <utility>

#include "adapters/postgres/lib_pq.h"
#include "adapters/postgres/text_value.h"
#include "base/assert.h"

namespace ganglion::postgres {
namespace {

using boost::system::error_code;
using Steady = std::chrono::steady_clock;

// Plans: the statements are written for one index each, so the server needn't choose anew for every call, nor
// fall for a scan while its statistics say that a growing table is empty. Ends: a process that is gone
// without a word must not keep its locks.
const Statement kSetUp{
    "set_up",
    "SELECT pg_backend_pid()::bigint, (SELECT backend_start::text FROM pg_stat_activity WHERE pid = "
    "pg_backend_pid()), set_config('search_path', $1, false),"
    " set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') = 'remote_apply' THEN "
    "'remote_apply' ELSE 'on' END, false),"
    " set_config('enable_seqscan', 'off', false), set_config('enable_bitmapscan', 'off', false),"
    " set_config('jit', 'off', false), set_config('plan_cache_mode', 'force_generic_plan', false),"
    " set_config('statement_timeout', '0', false), set_config('lock_timeout', '20s', false),"
    " set_config('idle_in_transaction_session_timeout', '30s', false),"
    " set_config('client_connection_check_interval', '5s', false)"};

}  // namespace

Connection::Connection(asio::io_context& loop, const Address& address, std::size_t first_host,
                       std::span<const Statement* const> statements, Handlers handlers)
    : loop_(loop),
      statements_(statements),
      schema_(address.schema),
      handlers_(std::move(handlers)),
      deadline_(loop.get_executor()) {
  const ConnectionWords words(address, first_host);
  constexpr int kExpandUrl = 1;
  connection_ = pq().connectStartParams(words.names.data(), words.values.data(), kExpandUrl);
  GANGLION_ASSERT(connection_);
  pq().setNoticeProcessor(
      connection_,
      [](void* self, const char* message) { static_cast<Connection*>(self)->notice_ = one_line(message); },
      this);
  deadline_.expires_after(kConnectTimeout);
  deadline_.async_wait([this, alive = std::weak_ptr(alive_)](error_code cancelled) {
    const bool too_late =
        !cancelled && !alive.expired() && pq().pipelineStatus(connection_) == PQ_PIPELINE_OFF;
    if (too_late) drop("the server doesn't answer");
  });
  if (pq().status(connection_) == CONNECTION_BAD) {
    drop(one_line(pq().errorMessage(connection_)));
    return;
  }
  // As if PQconnectPoll had said so: the socket is to be writable first.
  descriptor_ = std::make_unique<Descriptor>(loop_.get_executor(), pq().socket(connection_));
  wait(Wait::write);
}

Connection::~Connection() {
  let_go();
  pq().finish(connection_);
}

// The socket is libpq's: it closes it.
void Connection::let_go() {
  if (descriptor_) descriptor_->release();
  descriptor_.reset();
}

void Connection::drop(std::string why) {
  if (std::exchange(lost_, true)) return;
  let_go();
  deadline_.cancel();
  asio::post(loop_, [this, alive = std::weak_ptr(alive_), why = std::move(why)]() mutable {
    if (alive.expired()) return;
    auto lost = std::move(handlers_.lost);
    lost(std::move(why));
  });
}

// libpq may try several addresses, each with another socket of maybe the same number.
void Connection::connect_step() {
  let_go();
  const PostgresPollingStatusType status = pq().connectPoll(connection_);
  if (status == PGRES_POLLING_FAILED) return drop(one_line(pq().errorMessage(connection_)));
  descriptor_ = std::make_unique<Descriptor>(loop_.get_executor(), pq().socket(connection_));
  if (status == PGRES_POLLING_OK) return set_up();
  wait(status == PGRES_POLLING_READING ? Wait::read : Wait::write);
}

void Connection::set_up() {
  deadline_.cancel();
  pq().setnonblocking(connection_, 1);
  if (pq().enterPipelineMode(connection_) != 1) return drop(one_line(pq().errorMessage(connection_)));
  wait(Wait::read);
  const auto check = [this](ResultPtr result) {
    if (!succeeded(*result)) drop(message_of(*result));
  };
  const Params schema = std::move(Params().add_text(schema_));
  const Params::View view = schema.view();
  bool sent = pq().sendQueryParams(connection_, kSetUp.sql.c_str(), 1, nullptr, view.values.data(),
                                   view.lengths.data(), view.formats.data(), 1) == 1;
  pending_.push_back([this](ResultPtr result) {
    if (!succeeded(*result) || rows_of(*result) != 1) return drop(message_of(*result));
    const Row row(*result, 0);
    backend_ = {row.integer(0), row.is_null(1) ? "" : row.text(1)};
  });
  for (const Statement* statement : statements_) {
    sent = sent && pq().sendPrepare(connection_, statement->name, statement->sql.c_str(), 0, nullptr) == 1;
    pending_.push_back(check);
  }
  if (!sent) return drop(one_line(pq().errorMessage(connection_)));
  // An empty statement that says that all of the above is done.
  sent = pq().sendQueryParams(connection_, "SELECT 1", 0, nullptr, nullptr, nullptr, nullptr, 1) == 1;
  pending_.push_back([this](ResultPtr result) {
    if (succeeded(*result) && !lost_) handlers_.ready();
  });
  if (!sent) return drop(one_line(pq().errorMessage(connection_)));
  sync();
}

void Connection::send(const Statement& statement, const Params& params, OnResult done) {
  if (lost_) return;
  const Params::View view = params.view();
  constexpr int kBinary = 1;
  const int sent =
      pq().sendQueryPrepared(connection_, statement.name, static_cast<int>(view.values.size()),
                             view.values.data(), view.lengths.data(), view.formats.data(), kBinary);
  if (sent != 1) return drop(one_line(pq().errorMessage(connection_)));
  // Nothing was owed until now.
  if (pending_.empty()) last_sign_ = Steady::now();
  pending_.push_back(std::move(done));
}

void Connection::sync() {
  if (lost_) return;
  if (pq().pipelineSync(connection_) != 1) return drop(one_line(pq().errorMessage(connection_)));
  pending_.push_back(nullptr);
  watch_answers();
  flush();
}

void Connection::flush() {
  const int left = pq().flush(connection_);
  if (left < 0) return drop(one_line(pq().errorMessage(connection_)));
  flushing_ = left > 0;
  if (flushing_) wait(Wait::write);
}

void Connection::wait(Wait direction) {
  bool& waiting = direction == Wait::read ? reading_ : writing_;
  if (lost_ || std::exchange(waiting, true)) return;
  descriptor_->async_wait(direction == Wait::read ? asio::posix::descriptor_base::wait_read
                                                  : asio::posix::descriptor_base::wait_write,
                          [this, &waiting, alive = std::weak_ptr(alive_)](error_code) {
                            if (alive.expired()) return;
                            waiting = false;
                            if (!lost_) readable();
                          });
}

void Connection::readable() {
  last_sign_ = Steady::now();
  if (pq().pipelineStatus(connection_) == PQ_PIPELINE_OFF) return connect_step();
  if (pq().consumeInput(connection_) != 1) {
    // What came before the end counts.
    take_results();
    return drop(notice_.empty() ? one_line(pq().errorMessage(connection_)) : notice_);
  }
  if (flushing_) flush();
  // While there is something to send PQgetResult would wait for that.
  if (!flushing_) take_results();
  if (!lost_) wait(Wait::read);
}

void Connection::take_results() {
  // A null ends the results of one call; two in a row, that there are none for now.
  for (int nulls = 0; nulls < 2 && !lost_ && pq().isBusy(connection_) == 0;) {
    ResultPtr result(pq().getResult(connection_));
    nulls = result ? 0 : nulls + 1;
    if (!result) continue;
    if (pq().status(connection_) == CONNECTION_BAD) return drop(message_of(*result));
    dispatch(std::move(result));
  }
}

void Connection::dispatch(ResultPtr result) {
  GANGLION_ASSERT(!pending_.empty());
  OnResult done = std::move(pending_.front());
  pending_.pop_front();
  const bool is_sync = pq().resultStatus(result.get()) == PGRES_PIPELINE_SYNC;
  // A server that ends may say so in the place of a sync.
  if (is_sync != !done) return drop(message_of(*result));
  if (done) done(std::move(result));
}

void Connection::watch_answers() {
  if (std::exchange(timing_, true)) return;
  last_sign_ = Steady::now();
  arm_deadline();
}

void Connection::arm_deadline() {
  deadline_.expires_at(last_sign_ + kAnswerTimeout);
  deadline_.async_wait([this, alive = std::weak_ptr(alive_)](error_code cancelled) {
    if (cancelled || alive.expired() || lost_) return;
    timing_ = !pending_.empty();
    if (!timing_) return;
    if (Steady::now() - last_sign_ >= kAnswerTimeout) return drop("the server doesn't answer");
    arm_deadline();
  });
}

}  // namespace ganglion::postgres
