#include "adapters/postgres/schema.h"

#include <libpq-fe.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <span>

#include "adapters/postgres/result.h"
#include "adapters/postgres/schema_functions.h"
#include "adapters/postgres/schema_tables.h"
#include "adapters/postgres/text_value.h"
#include "base/assert.h"

namespace ganglion::postgres {
namespace {

constexpr int kOldestServer = 140'000;  // client_connection_check_interval
constexpr const char* kConnectSeconds = "10";

// Each list of steps makes one version of the schema out of the one before.
constexpr std::array kVersion1 = {kTables, kGroupFunctions, kPartFunctions, kAudit};
const std::array<std::span<const char* const>, 1> kMigrations = {kVersion1};

struct ConnectionDelete {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using ConnectionPtr = std::unique_ptr<PGconn, ConnectionDelete>;

Error unavailable(const std::string& why) {
  return {"store_unavailable", "the PostgreSQL store can't be opened: " + why};
}

Error incompatible(std::string why) {
  return {"store_incompatible", std::move(why)};
}

Result<ConnectionPtr> connect(const Address& address) {
  ConnectionWords words(address);
  words.names.insert(words.names.begin(), "connect_timeout");
  words.values.insert(words.values.begin(), kConnectSeconds);
  constexpr int kExpandUrl = 1;
  ConnectionPtr connection(PQconnectdbParams(words.names.data(), words.values.data(), kExpandUrl));
  GANGLION_ASSERT(connection);
  if (PQstatus(connection.get()) != CONNECTION_OK)
    return std::unexpected(unavailable(one_line(PQerrorMessage(connection.get()))));
  PQsetNoticeProcessor(connection.get(), [](void*, const char*) {}, nullptr);
  return connection;
}

// Rows as text.
Result<ResultPtr> execute(PGconn* connection, const std::string& sql) {
  ResultPtr result(PQexec(connection, sql.c_str()));
  if (result && succeeded(*result)) return result;
  return std::unexpected(unavailable(one_line(PQerrorMessage(connection))));
}

Result<std::string> value_of(PGconn* connection, const std::string& sql) {
  Result<ResultPtr> result = execute(connection, sql);
  if (!result) return std::unexpected(result.error());
  return std::string(rows_of(**result) > 0 ? PQgetvalue(result->get(), 0, 0) : "");
}

Result<void> check_server(PGconn* connection) {
  if (PQserverVersion(connection) < kOldestServer)
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
  const std::string create = "DO $$ BEGIN IF to_regnamespace('" + schema + "') IS NULL THEN CREATE SCHEMA " +
                             schema + "; END IF; END $$";
  const std::string versions =
      "CREATE TABLE IF NOT EXISTS " + schema +
      ".schema_version(version bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())";
  for (const std::string& step :
       {std::string("BEGIN"), lock, create, "SET LOCAL search_path TO " + schema, versions}) {
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
    for (const char* step : kMigrations[at]) {
      if (const Result<ResultPtr> done = execute(connection, step); !done)
        return std::unexpected(done.error());
    }
    const std::string mark = "INSERT INTO schema_version(version) VALUES(" + std::to_string(at + 1) + ")";
    if (const Result<ResultPtr> done = execute(connection, mark); !done) return std::unexpected(done.error());
  }
  const Result<ResultPtr> committed = execute(connection, "COMMIT");
  if (!committed) return std::unexpected(committed.error());
  return {};
}

Result<std::vector<std::string>> find_weaker_promises(PGconn* connection) {
  struct Check {
    const char* sql;
    const char* weaker;
  };
  constexpr std::array kChecks = {
      Check{"SELECT current_setting('fsync') = 'off'",
            "fsync is off in PostgreSQL: a power loss may lose commits, or the whole database"},
      Check{"SELECT current_setting('full_page_writes') = 'off'",
            "full_page_writes is off in PostgreSQL: a power loss may damage the database"},
      Check{"SELECT current_setting('synchronous_standby_names') = '' AND EXISTS (SELECT FROM "
            "pg_stat_replication)",
            "PostgreSQL's standbys are asynchronous (synchronous_standby_names is empty): a failover may "
            "lose the "
            "last commits"}};
  std::vector<std::string> weaker;
  for (const Check& check : kChecks) {
    const Result<std::string> found = value_of(connection, check.sql);
    if (!found) return std::unexpected(found.error());
    if (*found == "t") weaker.emplace_back(check.weaker);
  }
  return weaker;
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
