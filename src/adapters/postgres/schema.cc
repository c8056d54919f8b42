#include "adapters/postgres/schema.h"

#include <array>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <span>
#include <thread>

#include "adapters/postgres/lib_pq.h"
#include "adapters/postgres/promises.h"
#include "adapters/postgres/result.h"
#include "adapters/postgres/schema_functions.h"
#include "adapters/postgres/schema_journal.h"
#include "adapters/postgres/schema_outbox.h"
#include "adapters/postgres/schema_tables.h"
#include "adapters/postgres/text_value.h"
#include "base/assert.h"

namespace ganglion::postgres {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int kOldestServer = 140'000;  // client_connection_check_interval
constexpr const char* kConnectSeconds = "10";
constexpr int kExpandUrl = 1;
constexpr std::chrono::seconds kTimeToRecover{60};
constexpr std::chrono::milliseconds kLookAgain{50};

// Each list of steps makes one version of the schema out of the one before.
constexpr std::array kVersion1 = {kTables, kAppendOnly, kReadable, kAuditView};
constexpr std::array kVersion2 = {kOutboxTable};
const std::array<std::span<const char* const>, 2> kMigrations = {kVersion1, kVersion2};
// Made anew with every new version. Processes of the one before go on with them: their arguments stay.
constexpr std::array kFunctions = {kGroupFunctions, kPartFunctions, kOutboxFunctions};

struct ConnectionDelete {
  void operator()(PGconn* connection) const { pq().finish(connection); }
};
using ConnectionPtr = std::unique_ptr<PGconn, ConnectionDelete>;

Error unavailable(const std::string& why) {
  return {"store_unavailable", "the PostgreSQL store can't be opened: " + why};
}

Error incompatible(std::string why) {
  return {"store_incompatible", std::move(why)};
}

Result<ConnectionPtr> connect_once(const ConnectionWords& words) {
  ConnectionPtr connection(pq().connectdbParams(words.names.data(), words.values.data(), kExpandUrl));
  GANGLION_ASSERT(connection);
  if (pq().status(connection.get()) != CONNECTION_OK)
    return std::unexpected(unavailable(one_line(pq().errorMessage(connection.get()))));
  pq().setNoticeProcessor(connection.get(), [](void*, const char*) {}, nullptr);
  return connection;
}

// Returns when the server takes connections, or doesn't answer at all.
void await_recovery(const ConnectionWords& words) {
  for (const auto end = Steady::now() + kTimeToRecover; Steady::now() < end;
       std::this_thread::sleep_for(kLookAgain)) {
    if (pq().pingParams(words.names.data(), words.values.data(), kExpandUrl) != PQPING_REJECT) return;
  }
}

// A server that recovers from a crash is waited for; other failures don't mend themselves. It may have
// recovered since it refused us, so what counts is how it answers afterwards.
Result<ConnectionPtr> connect(const Address& address) {
  ConnectionWords words(address, 0);
  words.names.insert(words.names.begin(), "connect_timeout");
  words.values.insert(words.values.begin(), kConnectSeconds);
  if (Result<ConnectionPtr> connection = connect_once(words)) return connection;
  await_recovery(words);
  return connect_once(words);
}

// Rows as text.
Result<ResultPtr> execute(PGconn* connection, const std::string& sql) {
  ResultPtr result(pq().exec(connection, sql.c_str()));
  if (result && succeeded(*result)) return result;
  return std::unexpected(unavailable(one_line(pq().errorMessage(connection))));
}

Result<void> execute_all(PGconn* connection, std::span<const char* const> steps) {
  for (const char* step : steps) {
    if (const Result<ResultPtr> done = execute(connection, step); !done) return std::unexpected(done.error());
  }
  return {};
}

Result<std::string> value_of(PGconn* connection, const std::string& sql) {
  Result<ResultPtr> result = execute(connection, sql);
  if (!result) return std::unexpected(result.error());
  return std::string(rows_of(**result) > 0 ? pq().getvalue(result->get(), 0, 0) : "");
}

Result<void> check_server(PGconn* connection) {
  if (pq().serverVersion(connection) < kOldestServer)
    return std::unexpected(incompatible("the store needs PostgreSQL 14 or newer"));
  const Result<std::string> encoding = value_of(connection, "SHOW server_encoding");
  if (!encoding) return std::unexpected(encoding.error());
  if (*encoding == "UTF8") return {};
  return std::unexpected(
      incompatible("the store's database has the encoding " + *encoding +
                   "; make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"));
}

// Of two processes that start at once the second waits, and finds everything done.
Result<int> begin_migration(PGconn* connection, const std::string& schema) {
  const std::string lock =
      "SELECT pg_advisory_xact_lock(hashtextextended('ganglion schema " + schema + "', 0))";
  // Only what is missing: a role that may use the tables needn't be one that may make them.
  const std::string create =
      "DO $$ BEGIN "
      "IF to_regnamespace('" +
      schema + "') IS NULL THEN CREATE SCHEMA " + schema +
      "; END IF; "
      "IF to_regclass('" +
      schema +
      ".schema_version') IS NULL THEN "
      "CREATE TABLE " +
      schema +
      ".schema_version(version bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT now()); "
      "END IF; END $$";
  for (const std::string& step : {std::string("BEGIN"), lock, create, "SET LOCAL search_path TO " + schema}) {
    if (const Result<ResultPtr> done = execute(connection, step); !done) return std::unexpected(done.error());
  }
  const Result<std::string> version =
      value_of(connection, "SELECT coalesce(max(version), 0) FROM schema_version");
  if (!version) return std::unexpected(version.error());
  return std::atoi(version->c_str());
}

Result<void> migrate(PGconn* connection, const std::string& schema) {
  const Result<int> version = begin_migration(connection, schema);
  if (!version) return std::unexpected(version.error());
  if (static_cast<std::size_t>(*version) > kMigrations.size()) {
    return std::unexpected(
        incompatible("the store's schema \"" + schema + "\" was made by a newer Ganglion (version " +
                     std::to_string(*version) + ", this one knows " + std::to_string(kMigrations.size()) +
                     "); use that one or a newer one"));
  }
  for (auto at = static_cast<std::size_t>(*version); at < kMigrations.size(); ++at) {
    if (const Result<void> made = execute_all(connection, kMigrations[at]); !made) return made;
    const std::string mark = "INSERT INTO schema_version(version) VALUES(" + std::to_string(at + 1) + ")";
    if (const Result<ResultPtr> done = execute(connection, mark); !done) return std::unexpected(done.error());
  }
  if (static_cast<std::size_t>(*version) < kMigrations.size()) {
    if (const Result<void> made = execute_all(connection, kFunctions); !made) return made;
  }
  const Result<ResultPtr> committed = execute(connection, "COMMIT");
  if (!committed) return std::unexpected(committed.error());
  return {};
}

Result<std::vector<std::string>> find_weaker_promises(PGconn* connection) {
  constexpr int kBinary = 1;
  const ResultPtr answer(
      pq().execParams(connection, kAskPromises.sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, kBinary));
  if (!answer || !succeeded(*answer))
    return std::unexpected(unavailable(one_line(pq().errorMessage(connection))));
  return weaker_promises_of(*answer);
}

}  // namespace

Result<std::vector<std::string>> prepare_schema(const Address& address) {
  const Result<ConnectionPtr> connection = connect(address);
  if (!connection) return std::unexpected(connection.error());
  if (const Result<void> checked = check_server(connection->get()); !checked)
    return std::unexpected(checked.error());
  if (const Result<void> migrated = migrate(connection->get(), address.schema); !migrated)
    return std::unexpected(migrated.error());
  return find_weaker_promises(connection->get());
}

}  // namespace ganglion::postgres
