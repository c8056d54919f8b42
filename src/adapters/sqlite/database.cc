#include "adapters/sqlite/database.h"

#include <sqlite3.h>

#include <cstdio>
#include <utility>

#include "base/assert.h"

namespace ganglion::sqlite {
namespace {

DatabaseError error_of(sqlite3* connection) {
  const int code = sqlite3_extended_errcode(connection);
  // SQLite has no better words for what checked_vfs.h finds than "disk I/O error".
  if (code == SQLITE_IOERR_DATA) {
    return {code,
            "it holds other bytes than the store has written, through a fault of the disk or because "
            "another program has written to it"};
  }
  return {code, sqlite3_errmsg(connection)};
}

}  // namespace

DatabaseError DatabaseError::corruption(std::string what) {
  return {SQLITE_CORRUPT, std::move(what)};
}

Severity DatabaseError::severity() const {
  switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_BUSY:
    case SQLITE_READONLY:
    case SQLITE_INTERRUPT:
    case SQLITE_TOOBIG:
      return Severity::unavailable;
    case SQLITE_IOERR:
      // A refused write (a quota, a limit on file size) leaves an incomplete transaction that recovery skips.
      // Any other input-output error, first of all a failed fsync, leaves unknown what the disk holds.
      return code == SQLITE_IOERR_WRITE || code == SQLITE_IOERR_NOMEM ? Severity::unavailable
                                                                      : Severity::fatal;
    default:
      return Severity::fatal;
  }
}

bool DatabaseError::is_corruption() const {
  return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB || code == SQLITE_IOERR_DATA;
}

Error DatabaseError::as_read_error() const {
  if (is_corruption())
    return {"store_corrupt", "the store's file is damaged: " + message + "; go back to a backup"};
  return {"unavailable", "the store can't be read: " + message};
}

bool DatabaseError::is_busy() const {
  return (code & 0xff) == SQLITE_BUSY;
}

// --- Database
// -----------------------------------------------------------------------------------------------------

void Database::Close::operator()(sqlite3* connection) const {
  sqlite3_close_v2(connection);
}

DatabaseResult<Database> Database::open(const std::string& path, const std::string& vfs) {
  sqlite3* connection = nullptr;
  // One thread uses the connection, so SQLite needs no mutex of its own.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &connection, flags, vfs.empty() ? nullptr : vfs.c_str());
  Database database;
  database.connection_.reset(connection);
  if (code != SQLITE_OK) {
    return std::unexpected(connection ? error_of(connection) : DatabaseError{code, sqlite3_errstr(code)});
  }
  return database;
}

DatabaseResult<void> Database::execute(const char* sql) {
  if (sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return std::unexpected(error_of(handle()));
  return {};
}

Statement Database::prepare(std::string_view sql) {
  sqlite3_stmt* prepared = nullptr;
  const int code = sqlite3_prepare_v3(handle(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
  if (code != SQLITE_OK) std::fprintf(stderr, "%s\n", sqlite3_errmsg(handle()));
  GANGLION_ASSERT(code == SQLITE_OK);
  Statement statement;
  statement.statement_.reset(prepared);
  return statement;
}

DatabaseResult<std::int64_t> Database::query_integer(std::string_view sql) {
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v2(handle(), sql.data(), static_cast<int>(sql.size()), &prepared, nullptr) !=
      SQLITE_OK) {
    return std::unexpected(error_of(handle()));
  }
  Statement statement;
  statement.statement_.reset(prepared);
  const DatabaseResult<bool> row = statement.step();
  if (!row) return std::unexpected(row.error());
  return *row ? statement.integer(0) : 0;
}

void Database::count_wal_frames(int* frames) {
  const auto count = [](void* counter, sqlite3*, const char*, int length) {
    *static_cast<int*>(counter) = length;
    return SQLITE_OK;
  };
  sqlite3_wal_hook(handle(), count, frames);
}

DatabaseResult<void> Database::checkpoint() {
  if (sqlite3_wal_checkpoint_v2(handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr) !=
      SQLITE_OK) {
    return std::unexpected(error_of(handle()));
  }
  return {};
}

std::int64_t Database::last_insert_rowid() const {
  return sqlite3_last_insert_rowid(handle());
}

std::int64_t Database::changed_rows() const {
  return sqlite3_changes64(handle());
}

bool Database::in_transaction() const {
  return sqlite3_get_autocommit(handle()) == 0;
}

DatabaseError Database::last_error() const {
  return error_of(handle());
}

// --- Statement
// ----------------------------------------------------------------------------------------------------

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Statement& Statement::bind(int index, std::int64_t value) {
  GANGLION_ASSERT(sqlite3_bind_int64(statement_.get(), index, value) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind(int index, std::string_view value) {
  // An empty view may have no address, which SQLite would take for NULL.
  const char* bytes = value.empty() ? "" : value.data();
  GANGLION_ASSERT(sqlite3_bind_text64(statement_.get(), index, bytes, value.size(), SQLITE_STATIC,
                                      SQLITE_UTF8) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind(int index, const RunId& run) {
  const std::string text = run.text();
  GANGLION_ASSERT(sqlite3_bind_text64(statement_.get(), index, text.data(), text.size(), SQLITE_TRANSIENT,
                                      SQLITE_UTF8) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind(int index, const std::optional<std::string>& value) {
  return value ? bind(index, std::string_view(*value)) : bind_null(index);
}

Statement& Statement::bind(int index, const std::optional<std::uint32_t>& value) {
  return value ? bind(index, std::int64_t{*value}) : bind_null(index);
}

Statement& Statement::bind(int index, const std::optional<Timestamp>& value) {
  return value ? bind(index, *value) : bind_null(index);
}

Statement& Statement::bind_bytes(int index, std::string_view value) {
  const char* bytes = value.empty() ? "" : value.data();
  GANGLION_ASSERT(sqlite3_bind_blob64(statement_.get(), index, bytes, value.size(), SQLITE_STATIC) ==
                  SQLITE_OK);
  return *this;
}

Statement& Statement::bind_null(int index) {
  GANGLION_ASSERT(sqlite3_bind_null(statement_.get(), index) == SQLITE_OK);
  return *this;
}

DatabaseResult<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  DatabaseError error = error_of(sqlite3_db_handle(statement_.get()));
  reset();
  return std::unexpected(std::move(error));
}

DatabaseResult<void> Statement::run() {
  const DatabaseResult<bool> row = step();
  if (!row) return std::unexpected(row.error());
  reset();
  return {};
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::string_view Statement::bytes(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::optional<std::string> Statement::optional_text(int column) const {
  if (is_null(column)) return std::nullopt;
  return text(column);
}

std::optional<std::uint32_t> Statement::optional_integer(int column) const {
  if (is_null(column)) return std::nullopt;
  return static_cast<std::uint32_t>(integer(column));
}

std::optional<Timestamp> Statement::optional_time(int column) const {
  if (is_null(column)) return std::nullopt;
  return time(column);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

}  // namespace ganglion::sqlite
