#pragma once

// One connection to the server: libpq without blocking, in pipeline mode, on the event loop's thread. It
// connects, prepares its statements, and then sends calls without waiting for the answers of those before.
// It is used until it is lost, and lost once; a new one takes its place (link.h).

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "adapters/postgres/params.h"
#include "adapters/postgres/result.h"
#include "adapters/postgres/statements.h"
#include "adapters/postgres/url.h"
#include "base/asio/asio.h"

namespace ganglion::postgres {

// Then a connection that has not come about is given up, or one that owes answers and gives no sign of life:
// it neither takes nor sends a byte.
inline constexpr std::chrono::seconds kConnectTimeout{5};
inline constexpr std::chrono::seconds kAnswerTimeout{30};

// A call, as it is kept until it has its answer: it may have to be sent again.
struct Call {
  const Statement* statement;
  Params params;
};

// The server's process behind a connection: what ends it if the connection is lost and it isn't.
struct Backend {
  std::int64_t pid = 0;
  std::string started;
};

class Connection {
 public:
  struct Handlers {
    std::move_only_function<void()> ready;
    // With why. The connection may be destroyed in it; nothing else is called afterwards.
    std::move_only_function<void(std::string)> lost;
  };
  using OnResult = std::move_only_function<void(ResultPtr)>;

  // Begins to connect, to the address's hosts in turn from `first_host` on. `loop` outlives the connection.
  Connection(asio::io_context& loop, const Address& address, std::size_t first_host,
             std::span<const Statement* const> statements, Handlers handlers);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Once ready. The answer comes later, never inside the call: rows, or an error, or that the call was
  // skipped because one before it in the same pipeline failed.
  void send(const Statement& statement, const Params& params, OnResult done);
  // Ends a pipeline: what comes after it is not skipped for what comes before.
  void sync();
  // Gives this connection up.
  void drop(std::string why);

  const Backend& backend() const { return backend_; }

 private:
  using Descriptor = asio::posix::basic_stream_descriptor<LoopExecutor>;
  enum class Wait { read, write };

  void connect_step();
  void set_up();
  void flush();
  void wait(Wait direction);
  void readable();
  void take_results();
  void dispatch(ResultPtr result);
  void watch_answers();
  void arm_deadline();
  void let_go();

  asio::io_context& loop_;
  std::span<const Statement* const> statements_;
  std::string schema_;
  Handlers handlers_;
  PGconn* connection_;
  std::unique_ptr<Descriptor> descriptor_;
  LoopTimer deadline_;
  // Calls and syncs whose answers are to come; a sync is one without a handler.
  std::deque<OnResult> pending_;
  std::string notice_;  // the last one, which says why a server ends a connection
  Backend backend_;
  std::chrono::steady_clock::time_point last_sign_;  // of life
  bool reading_ = false;
  bool writing_ = false;
  bool flushing_ = false;
  bool timing_ = false;
  bool lost_ = false;
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
};

}  // namespace ganglion::postgres
