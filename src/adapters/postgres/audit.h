#pragma once

// The audit in PostgreSQL: every entry of every journal as a row, in a schema of its own, beside whatever
// store there is. One connection on the event loop's thread. A call is one statement and so one transaction;
// nothing is sent again here: whoever copies asks how far the audit is, and goes on from there.
//
// The first calls wait until a connection has been made or has failed. Later on, while the server is away,
// calls are answered `unavailable` at once, and the connection comes back by itself.
// The schema is made when the server is first reached, so that a process can start without it.

#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "adapters/postgres/link.h"
#include "adapters/postgres/url.h"
#include "base/result.h"
#include "ports/audit.h"

namespace ganglion::postgres {

inline constexpr const char* kDefaultAuditSchema = "ganglion_audit";

class Audit final : public ganglion::Audit {
 public:
  // `postgres://user:password@host:port/database?schema=ganglion_audit`; see url.h. Doesn't wait for the
  // server. Errors: `invalid_audit` (the URL), or that libpq isn't there. `loop` outlives the audit.
  static Result<std::unique_ptr<Audit>> open(asio::io_context& loop, const std::string& url);

  // No completion runs any more.
  ~Audit() override;

  void identify(Completion<Result<std::string>> done) override;
  void find_positions(std::vector<RunId> runs,
                      Completion<Result<std::vector<JournalPosition>>> done) override;
  void append(std::vector<JournalGrowth> growth, Completion<Result<void>> done) override;

 private:
  using OnAnswer = std::move_only_function<void(Result<ResultPtr>)>;
  struct Held {
    Call call;
    OnAnswer done;
  };

  Audit(asio::io_context& loop, Address address);

  void make_schema();
  void connect();
  void lost(const std::string& why);
  void call(const Statement& statement, Params params, OnAnswer done);
  void send_held();
  void answered(ResultPtr result);
  void refuse(OnAnswer done, const std::string& why);

  asio::io_context& loop_;
  const Address address_;
  std::optional<std::string> problem_;  // why the last connection was lost or hasn't come about
  std::deque<Held> held_;               // until there is a connection or a problem
  std::deque<OnAnswer> under_way_;
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
  // Last: their handlers use the rest. The first makes the schema and is then given up for the second.
  std::unique_ptr<Link> making_;
  std::unique_ptr<Link> link_;
};

}  // namespace ganglion::postgres
