#pragma once

// SQLite's C interface as values with one owner: a connection, its prepared statements, and its errors sorted
// by what the store must do about them. Used by the writer's thread only.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "core/ids.h"

struct sqlite3;
struct sqlite3_stmt;

namespace ganglion::sqlite {

// What an SQLite error means for the one who asked.
enum class Severity {
  // Nothing was written and the file is whole: the disk is full, a write was refused, memory ran out.
  unavailable,
  // What is on the disk is unknown or wrong: a failed fsync, corruption. The process must not go on writing.
  fatal,
};

struct DatabaseError {
  int code = 0;  // SQLite's extended result code
  std::string message;

  // For what SQLite reads without complaint although we can't have written it.
  static DatabaseError corruption(std::string what);

  Severity severity() const;
  bool is_corruption() const;
  // As the answer to a read.
  Error as_read_error() const;
  bool is_busy() const;
};

template <typename T>
using DatabaseResult = std::expected<T, DatabaseError>;

class Statement;

class Database {
 public:
  // `vfs` names an SQLite VFS; empty stands for the platform's own. The file must exist.
  static DatabaseResult<Database> open(const std::string& path, const std::string& vfs);

  DatabaseResult<void> execute(const char* sql);
  // Asserts that the SQL is valid: statements are part of the program, not of its input.
  Statement prepare(std::string_view sql);
  DatabaseResult<std::int64_t> query_integer(std::string_view sql);

  // `frames` follows the length of the write-ahead log, commit by commit; SQLite's own checkpoints are off
  // then.
  void count_wal_frames(int* frames);
  // Moves the write-ahead log into the file; the next commit starts the log afresh.
  DatabaseResult<void> checkpoint();

  std::int64_t last_insert_rowid() const;
  // Of the last statement.
  std::int64_t changed_rows() const;
  bool in_transaction() const;
  DatabaseError last_error() const;
  sqlite3* handle() const { return connection_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  std::unique_ptr<sqlite3, Close> connection_;
};

// A prepared statement that is used again and again: bind, step, read columns, reset. Text that is bound must
// live until the statement is reset.
class Statement {
 public:
  Statement() = default;

  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, std::string_view value);
  Statement& bind(int index, const std::string& value) { return bind(index, std::string_view(value)); }
  Statement& bind(int index, std::string&& value) = delete;
  // Its text, copied.
  Statement& bind(int index, const RunId& run);
  Statement& bind(int index, const std::optional<std::string>& value);
  Statement& bind(int index, const std::optional<std::uint32_t>& value);
  Statement& bind(int index, Timestamp value) { return bind(index, value.milliseconds_since_epoch()); }
  Statement& bind(int index, const std::optional<Timestamp>& value);
  Statement& bind_number(int index, std::uint64_t value) {
    return bind(index, static_cast<std::int64_t>(value));
  }
  Statement& bind_bytes(int index, std::string_view value);
  Statement& bind_null(int index);

  // True while there is a row to read. On an error the statement is reset.
  DatabaseResult<bool> step();
  // For statements without rows: steps once and resets.
  DatabaseResult<void> run();
  void reset();

  std::int64_t integer(int column) const;
  std::uint64_t number(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  std::string text(int column) const;
  // Lives until the next step or reset.
  std::string_view bytes(int column) const;
  std::optional<std::string> optional_text(int column) const;
  std::optional<std::uint32_t> optional_integer(int column) const;
  Timestamp time(int column) const { return Timestamp(integer(column)); }
  std::optional<Timestamp> optional_time(int column) const;
  bool is_null(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Resets a statement when the scope ends, so that no early return leaves a read transaction open.
class ResetAtEnd {
 public:
  explicit ResetAtEnd(Statement& statement) : statement_(statement) {}
  ~ResetAtEnd() { statement_.reset(); }
  ResetAtEnd(const ResetAtEnd&) = delete;
  ResetAtEnd& operator=(const ResetAtEnd&) = delete;

 private:
  Statement& statement_;
};

}  // namespace ganglion::sqlite
