#include "adapters/sqlite/cache_table.h"

namespace ganglion::sqlite {

CacheTable::CacheTable(Database& database)
    : database_(database),
      put_(database.prepare("INSERT INTO cached_outputs(key, at, expires_at, output) VALUES(?, ?, ?, ?) "
                            "ON CONFLICT(key) DO UPDATE SET at = excluded.at, "
                            "expires_at = excluded.expires_at, output = excluded.output")),
      collect_(database.prepare("DELETE FROM cached_outputs WHERE rowid IN (SELECT rowid FROM cached_outputs "
                                "WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)")),
      find_(database.prepare("SELECT at, expires_at, output FROM cached_outputs WHERE key = ?")) {}

DatabaseResult<void> CacheTable::put(const CachedOutput& output) {
  return put_.bind(1, output.key)
      .bind(2, output.at)
      .bind(3, output.expires_at)
      .bind(4, output.output.bytes())
      .run();
}

DatabaseResult<std::uint64_t> CacheTable::collect(Timestamp now, std::uint32_t limit) {
  const auto collected = collect_.bind(1, now).bind(2, std::int64_t{limit}).run();
  if (!collected) return std::unexpected(collected.error());
  return static_cast<std::uint64_t>(database_.changed_rows());
}

Result<CachedOutput> CacheTable::find(const std::string& key) {
  const ResetAtEnd reset(find_);
  const DatabaseResult<bool> row = find_.bind(1, key).step();
  if (!row) return std::unexpected(row.error().as_read_error());
  if (!*row) return fail("not_found", "there is no cached output " + key);
  return CachedOutput{
      .key = key, .output = Payload(find_.text(2)), .at = find_.time(0), .expires_at = find_.time(1)};
}

}  // namespace ganglion::sqlite
