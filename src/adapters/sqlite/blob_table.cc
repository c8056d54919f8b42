#include "adapters/sqlite/blob_table.h"

#include <vector>

#include "base/sha256.h"
#include "core/blob_references.h"

namespace ganglion::sqlite {
namespace {

std::vector<std::string> references_in(std::string_view json) {
  std::vector<std::string> digests;
  find_blob_references(json, digests);
  return digests;
}

}  // namespace

BlobTable::BlobTable(Database& database)
    : database_(database),
      refer_(database.prepare("INSERT INTO blobs(digest, refs) VALUES(?, 1) "
                              "ON CONFLICT(digest) DO UPDATE SET refs = refs + 1")),
      release_(database.prepare("UPDATE blobs SET refs = refs - 1 WHERE digest = ?")),
      forget_(database.prepare("DELETE FROM blobs WHERE digest = ? AND refs = 0 AND written_at IS NULL")),
      find_(database.prepare("SELECT id, written_at FROM blobs WHERE digest = ?")),
      touch_(database.prepare("UPDATE blobs SET written_at = ? WHERE id = ?")),
      insert_(database.prepare("INSERT INTO blobs(digest, written_at, refs) VALUES(?, ?, 0)")),
      insert_content_(database.prepare("INSERT INTO blob_contents(id, content) VALUES(?, ?)")),
      list_unused_(database.prepare("SELECT id FROM blobs INDEXED BY blobs_unused "
                                    "WHERE refs = 0 AND written_at < ? ORDER BY written_at LIMIT ?")),
      delete_(database.prepare("DELETE FROM blobs WHERE id = ?")),
      delete_content_(database.prepare("DELETE FROM blob_contents WHERE id = ?")),
      read_(database.prepare("SELECT content FROM blobs JOIN blob_contents USING(id) WHERE digest = ?")) {}

DatabaseResult<void> BlobTable::refer(std::span<const std::string> digests) {
  for (const std::string& digest : digests) {
    if (const auto referred = refer_.bind(1, digest).run(); !referred) return referred;
  }
  return {};
}

DatabaseResult<void> BlobTable::refer_from(std::string_view json) {
  return refer(references_in(json));
}

DatabaseResult<void> BlobTable::release_from(std::string_view json) {
  for (const std::string& digest : references_in(json)) {
    if (const auto released = release(digest); !released) return released;
  }
  return {};
}

DatabaseResult<void> BlobTable::release(const std::string& digest) {
  if (const auto released = release_.bind(1, digest).run(); !released) return released;
  return forget_.bind(1, digest).run();
}

DatabaseResult<void> BlobTable::put(const std::string& digest, std::string_view content, Timestamp now) {
  const ResetAtEnd reset(find_);
  const DatabaseResult<bool> known = find_.bind(1, digest).step();
  if (!known) return std::unexpected(known.error());
  std::int64_t id = 0;
  if (*known) {
    id = find_.integer(0);
    const bool written = !find_.is_null(1);
    // Not back in time: someone may rely on the later one.
    if (written && find_.time(1) >= now) return {};
    if (const auto touched = touch_.bind(1, now).bind(2, id).run(); !touched || written) return touched;
  } else {
    if (const auto inserted = insert_.bind(1, digest).bind(2, now).run(); !inserted) return inserted;
    id = database_.last_insert_rowid();
  }
  return insert_content_.bind(1, id).bind_bytes(2, content).run();
}

DatabaseResult<std::uint64_t> BlobTable::collect(Timestamp unused_since, std::uint32_t limit) {
  std::vector<std::int64_t> unused;
  {
    const ResetAtEnd reset(list_unused_);
    list_unused_.bind(1, unused_since).bind(2, std::int64_t{limit});
    for (;;) {
      const DatabaseResult<bool> row = list_unused_.step();
      if (!row) return std::unexpected(row.error());
      if (!*row) break;
      unused.push_back(list_unused_.integer(0));
    }
  }
  for (const std::int64_t id : unused) {
    for (Statement* statement : {&delete_content_, &delete_}) {
      if (const auto deleted = statement->bind(1, id).run(); !deleted)
        return std::unexpected(deleted.error());
    }
  }
  return unused.size();
}

Result<bool> BlobTable::has(const std::string& digest) {
  const ResetAtEnd reset(find_);
  const DatabaseResult<bool> row = find_.bind(1, digest).step();
  if (!row) return std::unexpected(row.error().as_read_error());
  // One that is only referred to has never been written.
  return *row && !find_.is_null(1);
}

Result<std::string> BlobTable::get(const std::string& digest) {
  const ResetAtEnd reset(read_);
  const DatabaseResult<bool> row = read_.bind(1, digest).step();
  if (!row) return std::unexpected(row.error().as_read_error());
  if (!*row) return fail("not_found", "there is no blob sha256:" + digest);
  std::string content(read_.bytes(0));
  if (sha256_hex(content) != digest) {
    return std::unexpected(
        DatabaseError::corruption("blob sha256:" + digest + " is damaged").as_read_error());
  }
  return content;
}

}  // namespace ganglion::sqlite
