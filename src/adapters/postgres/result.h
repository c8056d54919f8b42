#pragma once

// Answers of the server as libpq hands them over, all in binary: integers in network order, text and bytes as
// they are, ids as 16 bytes.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/postgres/lib_pq.h"
#include "base/time.h"
#include "core/ids.h"

namespace ganglion::postgres {

struct ResultDelete {
  void operator()(PGresult* result) const { pq().clear(result); }
};
using ResultPtr = std::unique_ptr<PGresult, ResultDelete>;

bool succeeded(const PGresult& result);
// Five characters, empty where the server gave none.
std::string sqlstate_of(const PGresult& result);
std::string message_of(const PGresult& result);

// One row. A column that is asked for must have the type that is asked for; the statements see to that.
class Row {
 public:
  Row(const PGresult& result, int row) : result_(result), row_(row) {}

  bool is_null(int column) const;
  std::int64_t integer(int column) const;  // bigint
  std::uint64_t number(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  bool boolean(int column) const;
  std::string_view bytes(int column) const;
  std::string text(int column) const;
  Timestamp time(int column) const { return Timestamp(integer(column)); }
  RunId run(int column) const;

  std::optional<std::string> optional_text(int column) const;
  std::optional<std::uint64_t> optional_number(int column) const;
  std::optional<Timestamp> optional_time(int column) const;
  std::optional<RunId> optional_run(int column) const;

 private:
  const PGresult& result_;
  int row_;
};

inline int rows_of(const PGresult& result) {
  return pq().ntuples(&result);
}

}  // namespace ganglion::postgres
