#pragma once

// Durations counted in buckets whose width grows with what they hold, as HdrHistogram does
// (http://hdrhistogram.org): memory is bounded (36 KiB), whatever is recorded, and a quantile is wrong by at
// most half a bucket, 0.4 %. From a nanosecond to 73 minutes; what is longer counts as that.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ganglion::bench {

class Histogram {
 public:
  using Duration = std::chrono::nanoseconds;

  Histogram() : counts_(kBuckets) {}

  // A negative duration counts as zero.
  void record(Duration duration);
  void add(const Histogram& other);

  std::uint64_t count() const { return count_; }
  // The value that a part `of` all are not above: 0.5 is the median, 1 the largest. Zero while empty.
  Duration quantile(double of) const;
  Duration max() const { return Duration(largest_); }
  Duration mean() const;

  // One line for another process of this program; nothing for a text that isn't one.
  std::string text() const;
  static std::optional<Histogram> from_text(std::string_view text);

 private:
  // Below 256 a bucket holds one value; above, each power of two is cut into 128.
  static constexpr unsigned kBits = 8;
  static constexpr std::uint64_t kExact = 1u << kBits;
  static constexpr std::uint64_t kPerPower = kExact / 2;
  static constexpr unsigned kMaxBits = 42;
  static constexpr std::uint64_t kLargest = (std::uint64_t{1} << kMaxBits) - 1;
  static constexpr std::size_t kBuckets = kExact + (kMaxBits - kBits) * kPerPower;

  static std::size_t bucket_of(std::uint64_t value);
  static std::uint64_t middle_of(std::size_t bucket);

  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t largest_ = 0;
  double sum_ = 0;
};

}  // namespace ganglion::bench
