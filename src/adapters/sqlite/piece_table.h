#pragma once

// Large texts as lists of pieces, each of which is stored once. A conversation that grows by a message a step
// stands in the journal twice a step, as input and as output; in pieces it costs what is new, and a list of
// one or two bytes a piece. Pieces are never removed, since journals aren't. They are found by SHA-256, and
// checked against it when they are read.

#include <cstdint>
#include <string>
#include <string_view>

#include "adapters/sqlite/database.h"

namespace ganglion::sqlite {

// Texts up to this size stay in their row.
inline constexpr std::size_t kMaxInlineText = 4096;

class PieceTable {
 public:
  // The tables exist. `database` outlives this.
  explicit PieceTable(Database& database);

  // Adds the pieces that are new and gives the list. After an error the transaction must be rolled back.
  DatabaseResult<std::string> store(std::string_view text);
  // The text again; a piece that is missing or altered is corruption.
  DatabaseResult<std::string> load(std::string_view list);

 private:
  DatabaseResult<std::int64_t> store_piece(std::string_view bytes);
  DatabaseResult<void> load_piece(std::int64_t id, std::string& text);

  Database& database_;
  Statement find_, insert_, read_;
};

}  // namespace ganglion::sqlite
