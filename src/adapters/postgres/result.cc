#include "adapters/postgres/result.h"

#include <algorithm>

#include "adapters/postgres/lib_pq.h"
#include "adapters/postgres/text_value.h"
#include "base/assert.h"

namespace ganglion::postgres {

bool succeeded(const PGresult& result) {
  const ExecStatusType status = pq().resultStatus(&result);
  return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

std::string sqlstate_of(const PGresult& result) {
  const char* code = pq().resultErrorField(&result, PG_DIAG_SQLSTATE);
  return code ? code : "";
}

std::string message_of(const PGresult& result) {
  if (const char* primary = pq().resultErrorField(&result, PG_DIAG_MESSAGE_PRIMARY)) return primary;
  return one_line(pq().resultErrorMessage(&result));
}

bool Row::is_null(int column) const {
  return pq().getisnull(&result_, row_, column) != 0;
}

std::string_view Row::bytes(int column) const {
  return {pq().getvalue(&result_, row_, column),
          static_cast<std::size_t>(pq().getlength(&result_, row_, column))};
}

std::int64_t Row::integer(int column) const {
  const std::string_view value = bytes(column);
  GANGLION_ASSERT(value.size() == sizeof(std::int64_t));
  std::uint64_t number = 0;
  for (const char byte : value) number = (number << 8) | static_cast<unsigned char>(byte);
  return static_cast<std::int64_t>(number);
}

bool Row::boolean(int column) const {
  const std::string_view value = bytes(column);
  GANGLION_ASSERT(value.size() == 1);
  return value[0] != 0;
}

std::string Row::text(int column) const {
  return from_text_value(bytes(column));
}

RunId Row::run(int column) const {
  const std::string_view value = bytes(column);
  RunId::Bytes id;
  GANGLION_ASSERT(value.size() == id.size());
  std::ranges::copy(value, id.begin());
  return RunId::from_bytes(id);
}

std::optional<std::string> Row::optional_text(int column) const {
  return is_null(column) ? std::nullopt : std::optional(text(column));
}

std::optional<std::uint64_t> Row::optional_number(int column) const {
  return is_null(column) ? std::nullopt : std::optional(number(column));
}

std::optional<Timestamp> Row::optional_time(int column) const {
  return is_null(column) ? std::nullopt : std::optional(time(column));
}

std::optional<RunId> Row::optional_run(int column) const {
  return is_null(column) ? std::nullopt : std::optional(run(column));
}

}  // namespace ganglion::postgres
