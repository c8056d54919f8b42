#include "adapters/sqlite/piece_table.h"

#include <openssl/sha.h>

#include <array>
#include <optional>

#include "adapters/sqlite/piece_cutter.h"

namespace ganglion::sqlite {
namespace {

// No row of ours is near it; a damaged list must not make us reserve more.
constexpr std::uint64_t kMaxText = std::uint64_t{1} << 30;

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

Digest digest_of(std::string_view bytes) {
  Digest digest;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return digest;
}

std::string_view view(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// A list is the text's size and then, piece by piece, how much its id differs from the one before: numbers of
// seven bits a byte, the lowest first; differences with their sign in the lowest bit.
void append_number(std::string& list, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) list += static_cast<char>(number | 0x80);
  list += static_cast<char>(number);
}

std::optional<std::uint64_t> take_number(std::string_view& list) {
  std::uint64_t number = 0;
  for (unsigned shift = 0; shift < 64 && !list.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(list.front());
    list.remove_prefix(1);
    number |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return number;
  }
  return std::nullopt;
}

std::uint64_t as_unsigned(std::int64_t difference) {
  return (static_cast<std::uint64_t>(difference) << 1) ^ static_cast<std::uint64_t>(difference >> 63);
}

std::uint64_t add_difference(std::uint64_t id, std::uint64_t difference) {
  return id + ((difference >> 1) ^ (0 - (difference & 1)));
}

DatabaseError damaged_list() {
  return DatabaseError::corruption("a list of pieces can't be read");
}

}  // namespace

PieceTable::PieceTable(Database& database)
    : database_(database),
      find_(database.prepare("SELECT id FROM pieces WHERE digest = ?")),
      insert_(database.prepare("INSERT INTO pieces(digest, bytes) VALUES(?, ?)")),
      read_(database.prepare("SELECT digest, bytes FROM pieces WHERE id = ?")) {}

DatabaseResult<std::string> PieceTable::store(std::string_view text) {
  std::string list;
  append_number(list, text.size());
  std::int64_t previous = 0;
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, first_piece(text));
    text.remove_prefix(piece.size());
    const DatabaseResult<std::int64_t> id = store_piece(piece);
    if (!id) return std::unexpected(id.error());
    append_number(list, as_unsigned(*id - previous));
    previous = *id;
  }
  return list;
}

DatabaseResult<std::int64_t> PieceTable::store_piece(std::string_view bytes) {
  const Digest digest = digest_of(bytes);
  const ResetAtEnd reset(find_);
  const DatabaseResult<bool> known = find_.bind_bytes(1, view(digest)).step();
  if (!known) return std::unexpected(known.error());
  if (*known) return find_.integer(0);
  const auto inserted = insert_.bind_bytes(1, view(digest)).bind_bytes(2, bytes).run();
  if (!inserted) return std::unexpected(inserted.error());
  return database_.last_insert_rowid();
}

DatabaseResult<std::string> PieceTable::load(std::string_view list) {
  const std::optional<std::uint64_t> size = take_number(list);
  if (!size || *size > kMaxText) return std::unexpected(damaged_list());
  std::string text;
  text.reserve(*size);
  std::uint64_t id = 0;
  while (!list.empty() && text.size() < *size) {
    const std::optional<std::uint64_t> difference = take_number(list);
    if (!difference) return std::unexpected(damaged_list());
    id = add_difference(id, *difference);
    const auto loaded = load_piece(static_cast<std::int64_t>(id), text);
    if (!loaded) return std::unexpected(loaded.error());
  }
  if (!list.empty() || text.size() != *size) return std::unexpected(damaged_list());
  return text;
}

DatabaseResult<void> PieceTable::load_piece(std::int64_t id, std::string& text) {
  const ResetAtEnd reset(read_);
  const DatabaseResult<bool> row = read_.bind(1, id).step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::unexpected(DatabaseError::corruption("a piece of a journal is missing"));
  const std::string_view bytes = read_.bytes(1);
  if (read_.bytes(0) != view(digest_of(bytes))) {
    return std::unexpected(DatabaseError::corruption("a piece of a journal is damaged"));
  }
  text += bytes;
  return {};
}

}  // namespace ganglion::sqlite
