#include "adapters/sqlite/page_check.h"

#include <gtest/gtest.h>

#include <vector>

#include "contract/store_driver.h"

namespace ganglion::sqlite {
namespace {

std::vector<char> checked_page(std::uint64_t offset) {
  const std::string text = ganglion::testing::unlike_text(4096, offset);
  std::vector<char> page(text.begin(), text.end());
  set_page_check(page, page_check(page, offset));
  return page;
}

TEST(PageCheck, EveryFlippedBitOfAPageShows) {
  std::vector<char> page = checked_page(8192);
  ASSERT_EQ(state_of(page, 8192), PageState::intact);
  for (std::size_t bit = 0; bit < page.size() * 8; ++bit) {
    page[bit / 8] ^= static_cast<char>(1U << bit % 8);
    ASSERT_EQ(state_of(page, 8192), PageState::damaged) << bit;
    page[bit / 8] ^= static_cast<char>(1U << bit % 8);
  }
  EXPECT_EQ(state_of(page, 8192), PageState::intact);
}

TEST(PageCheck, APageInThePlaceOfAnotherShows) {
  const std::vector<char> page = checked_page(8192);
  EXPECT_EQ(state_of(page, 12'288), PageState::damaged);
}

TEST(PageCheck, APageOfAProgramThatKnowsNoChecksIsLetThrough) {
  std::vector<char> page = checked_page(8192);
  set_page_check(page, 0);
  EXPECT_EQ(state_of(page, 8192), PageState::unchecked);
}

TEST(PageCheck, PagesAreToldFromOtherReadsByTheirSizeAndPlace) {
  EXPECT_TRUE(is_page(4096, 0));
  EXPECT_TRUE(is_page(65'536, 131'072));
  EXPECT_FALSE(is_page(100, 0)) << "the header, before the page size is known";
  EXPECT_FALSE(is_page(4096, 24));
  EXPECT_FALSE(is_page(4000, 0));
}

}  // namespace
}  // namespace ganglion::sqlite
