#include "adapters/sqlite/piece_cutter.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

namespace ganglion::sqlite {
namespace {

std::string random_text(std::size_t bytes, unsigned seed) {
  std::mt19937 random(seed);
  std::string text(bytes, ' ');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

std::vector<std::string> cut(std::string_view text) {
  std::vector<std::string> pieces;
  while (!text.empty()) {
    const std::size_t size = first_piece(text);
    pieces.emplace_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return pieces;
}

TEST(PieceCutter, PiecesKeepTheirBoundsAndAreNearTheWantedSize) {
  const std::string text = random_text(4 << 20, 1);
  const std::vector<std::string> pieces = cut(text);
  std::string joined;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    EXPECT_LE(pieces[i].size(), kMaxPiece);
    if (i + 1 < pieces.size()) {
      EXPECT_GT(pieces[i].size(), kMinPiece);
    }
    joined += pieces[i];
  }
  EXPECT_EQ(joined, text);
  const std::size_t average = text.size() / pieces.size();
  EXPECT_GT(average, kWantedPiece * 3 / 4);
  EXPECT_LT(average, kWantedPiece * 3 / 2);
}

TEST(PieceCutter, TextWithoutAnyVarietyIsCutAsWell) {
  for (const char c : {'\0', 'x', '\xff'}) {
    for (const std::string& piece : cut(std::string(100'000, c))) EXPECT_LE(piece.size(), kMaxPiece);
  }
  EXPECT_EQ(cut("short").size(), 1u);
  EXPECT_TRUE(cut("").empty());
}

TEST(PieceCutter, AnInsertionChangesFewPieces) {
  const std::string text = random_text(1 << 20, 2);
  const std::vector<std::string> before = cut(text);
  for (const std::size_t at : {0u, 1u, 500'000u, 1u << 20}) {
    std::string longer = text;
    longer.insert(at, "something new");
    const std::set<std::string> known(before.begin(), before.end());
    int fresh = 0;
    for (const std::string& piece : cut(longer)) fresh += known.contains(piece) ? 0 : 1;
    EXPECT_LE(fresh, 6) << "inserted at " << at;
  }
}

}  // namespace
}  // namespace ganglion::sqlite
