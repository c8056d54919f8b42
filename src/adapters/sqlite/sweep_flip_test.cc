// A bit that flips in the files of a closed or killed store, in every page and every frame. Afterwards each
// answer is what was written, or an error that says that the file is damaged; where the log has lost
// something acknowledged the store isn't opened.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "adapters/sqlite/log_seal.h"
#include "adapters/sqlite/testing/disk_history.h"
#include "adapters/sqlite/testing/sweep_run.h"

namespace ganglion::sqlite {
namespace {

using testing::DiskImage;
using testing::DumpLine;
using testing::FaultyVfs;
using testing::Found;
using testing::StoreFile;
using testing::SweepRun;
using testing::Writes;

constexpr std::size_t kPage = 4096;

class SqliteFlipSweep : public ::testing::Test {
 protected:
  SqliteFlipSweep() {
    SweepRun run(disk_, place_);
    run.perform();
    EXPECT_TRUE(run.complaints().empty()) << run.complaints().front();
    closed_ = disk_.image();
    changes_ = disk_.changes();
    positions_ = run.positions();
  }

  // What is on the disk after so many steps if the process is killed there.
  DiskImage killed_after(std::size_t steps) const;
  // The number of steps after which the log holds most.
  std::size_t steps_of_longest_log() const;

  std::string path(const std::string& suffix) const { return place_.path().string() + suffix; }

  void flip_and_read(const DiskImage& image, const std::string& file, std::size_t bit, std::size_t steps) {
    DiskImage flipped = image;
    flipped.at(file)[bit / 8] ^= static_cast<char>(1U << bit % 8);
    const Found found = testing::open_on(disk_, place_, std::move(flipped), Writes::no);
    ++flips_;
    const std::string where = file + ", byte " + std::to_string(bit / 8) + ", bit " + std::to_string(bit % 8);
    if (found.refused) {
      ++refused_;
      ASSERT_EQ(found.refused->code, "store_corrupt") << where << ": " << found.refused->message;
      ASSERT_NE(found.refused->message.find("backup"), std::string::npos) << found.refused->message;
      return;
    }
    bool failed = found.stopped;
    const testing::StoreDump& wanted = testing::expected().at(steps);
    for (const DumpLine& line : found.dump) {
      failed = failed || line.failed;
      if (line.failed) {
        const bool says_so = found.stopped || line.answer.find("store_corrupt") != std::string::npos;
        ASSERT_TRUE(says_so) << where << ": " << line.what << ": " << line.answer;
      } else {
        ASSERT_NE(std::ranges::find(wanted, line), wanted.end())
            << where << ": read what was never written: " << line.what << ": " << line.answer.substr(0, 300);
      }
    }
    if (!failed) ASSERT_EQ(found.dump.size(), wanted.size()) << where << ": reads less than there is";
    shown_ += failed ? 1 : 0;
  }

  void report() const {
    std::printf("%zu flips: %zu not opened, %zu shown by reads, %zu without effect\n", flips_, refused_,
                shown_, flips_ - refused_ - shown_);
  }

  FaultyVfs disk_;
  StoreFile place_{testing::quick_folder()};
  DiskImage closed_;
  std::vector<testing::DiskChange> changes_;
  std::vector<std::size_t> positions_;
  std::size_t flips_ = 0, refused_ = 0, shown_ = 0;
};

DiskImage SqliteFlipSweep::killed_after(std::size_t steps) const {
  testing::DiskHistory history({});
  // With everything that the store did before the next step, such as sealing its log.
  const std::size_t end = steps < positions_.size() ? positions_[steps - 1] : changes_.size();
  for (std::size_t i = 0; i < end; ++i) history.apply(changes_[i]);
  return history.current();
}

std::uint64_t sealed_frames(const DiskImage& image, const std::string& path) {
  const auto found = image.find(path);
  if (found == image.end() || found->second.size() != kSealBytes) return 0;
  const auto seal = LogSeal::parse(std::span(found->second).first<kSealBytes>());
  return seal ? seal->frames : 0;
}

std::size_t SqliteFlipSweep::steps_of_longest_log() const {
  std::size_t longest = 1;
  for (std::size_t steps = 2; steps < positions_.size(); ++steps) {
    const auto frames = [&](std::size_t after) { return sealed_frames(killed_after(after), path("-seal")); };
    if (frames(steps) > frames(longest)) longest = steps;
  }
  return longest;
}

// Places in a page: its head, its cell pointers, its rows at the end, its check; spread over all pages so
// that many bits get their turn.
std::vector<std::size_t> bits_of_page(std::size_t page) {
  std::vector<std::size_t> bits;
  for (const std::size_t byte :
       {std::size_t{0}, std::size_t{4}, 9 + page % 16, 60 + page * 37 % 400, 900 + page * 211 % 1600,
        2600 + page * 97 % 1400, kPage - 9 - page % 40, kPage - 1 - page % 8})
    bits.push_back(byte * 8 + (page + byte) % 8);
  return bits;
}

TEST_F(SqliteFlipSweep, ABitOfTheHeaderOfAClosedFileIsAlwaysNoticed) {
  for (std::size_t bit = 0; bit < 100 * 8; ++bit)
    ASSERT_NO_FATAL_FAILURE(flip_and_read(closed_, path(""), bit, positions_.size()));
  report();
  EXPECT_EQ(refused_, flips_);
}

TEST_F(SqliteFlipSweep, ABitOfAnyPageOfAClosedFileIsNeverReadAsSomethingElse) {
  const std::size_t pages = closed_.at(path("")).size() / kPage;
  for (std::size_t page = 0; page < pages; ++page) {
    for (const std::size_t bit : bits_of_page(page))
      ASSERT_NO_FATAL_FAILURE(flip_and_read(closed_, path(""), page * kPage * 8 + bit, positions_.size()));
  }
  report();
  EXPECT_GT(refused_ + shown_, flips_ / 2);
}

TEST_F(SqliteFlipSweep, ABitOfTheLogOfAKilledStoreIsNeverTheEndOfWhatWasAcknowledged) {
  const std::size_t steps = steps_of_longest_log();
  const DiskImage killed = killed_after(steps);
  const std::size_t frames = sealed_frames(killed, path("-seal"));
  ASSERT_GT(frames, SweepRun::kLogPages / 2u);
  for (std::size_t bit = 0; bit < kLogHeaderBytes * 8; ++bit)
    ASSERT_NO_FATAL_FAILURE(flip_and_read(killed, path("-wal"), bit, steps));
  for (std::size_t frame = 0; frame < frames; ++frame) {
    const std::size_t start = (kLogHeaderBytes + frame * (kPage + kFrameHeaderBytes)) * 8;
    for (const std::size_t field : {1, 6, 9, 14, 17, 22})
      ASSERT_NO_FATAL_FAILURE(flip_and_read(killed, path("-wal"), start + (field + frame % 2) * 8, steps));
    for (const std::size_t bit : {bits_of_page(frame)[2], bits_of_page(frame)[6]})
      ASSERT_NO_FATAL_FAILURE(
          flip_and_read(killed, path("-wal"), start + kFrameHeaderBytes * 8 + bit, steps));
  }
  report();
  EXPECT_EQ(refused_, flips_);
}

TEST_F(SqliteFlipSweep, ABitOfTheFileOfAKilledStoreIsNeverReadAsSomethingElse) {
  const std::size_t steps = positions_.size() - 1;
  const DiskImage killed = killed_after(steps);
  const std::size_t pages = killed.at(path("")).size() / kPage;
  for (std::size_t page = 0; page < pages; ++page) {
    for (const std::size_t bit : {bits_of_page(page)[0], bits_of_page(page)[2], bits_of_page(page)[5]})
      ASSERT_NO_FATAL_FAILURE(flip_and_read(killed, path(""), page * kPage * 8 + bit, steps));
  }
  for (std::size_t bit = 0; bit < 100 * 8; bit += 3)
    ASSERT_NO_FATAL_FAILURE(flip_and_read(killed, path(""), bit, steps));
  report();
}

TEST_F(SqliteFlipSweep, ABitOfTheSealIsNoHarm) {
  const std::size_t steps = positions_.size() - 1;
  const DiskImage killed = killed_after(steps);
  for (std::size_t bit = 0; bit < killed.at(path("-seal")).size() * 8; ++bit)
    ASSERT_NO_FATAL_FAILURE(flip_and_read(killed, path("-seal"), bit, steps));
  report();
  EXPECT_EQ(refused_ + shown_, 0u);
}

}  // namespace
}  // namespace ganglion::sqlite
