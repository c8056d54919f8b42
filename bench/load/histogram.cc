#include "bench/load/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <sstream>

namespace ganglion::bench {

std::size_t Histogram::bucket_of(std::uint64_t value) {
  if (value < kExact) return value;
  const auto shift = static_cast<unsigned>(std::bit_width(value)) - kBits;
  return kExact + (shift - 1) * kPerPower + ((value >> shift) - kPerPower);
}

std::uint64_t Histogram::middle_of(std::size_t bucket) {
  if (bucket < kExact) return bucket;
  const std::uint64_t shift = (bucket - kExact) / kPerPower + 1;
  const std::uint64_t begin = ((bucket - kExact) % kPerPower + kPerPower) << shift;
  return begin + (std::uint64_t{1} << shift) / 2;
}

void Histogram::record(Duration duration) {
  const std::uint64_t value =
      std::min(kLargest, static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0)));
  ++counts_[bucket_of(value)];
  ++count_;
  largest_ = std::max(largest_, value);
  sum_ += static_cast<double>(value);
}

void Histogram::add(const Histogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  largest_ = std::max(largest_, other.largest_);
  sum_ += other.sum_;
}

Histogram::Duration Histogram::quantile(double of) const {
  if (count_ == 0) return Duration::zero();
  const auto rank = std::clamp<std::uint64_t>(
      static_cast<std::uint64_t>(std::ceil(of * static_cast<double>(count_))), 1, count_);
  if (rank == count_) return max();
  std::uint64_t seen = 0;
  std::size_t bucket = 0;
  while ((seen += counts_[bucket]) < rank) ++bucket;
  return Duration(std::min(middle_of(bucket), largest_));
}

Histogram::Duration Histogram::mean() const {
  if (count_ == 0) return Duration::zero();
  return Duration(static_cast<std::int64_t>(sum_ / static_cast<double>(count_)));
}

std::string Histogram::text() const {
  std::ostringstream text;
  text << largest_ << ' ' << static_cast<std::uint64_t>(sum_);
  for (std::size_t i = 0; i < kBuckets; ++i) {
    if (counts_[i] != 0) text << ' ' << i << ' ' << counts_[i];
  }
  return std::move(text).str();
}

std::optional<Histogram> Histogram::from_text(std::string_view text) {
  std::istringstream in{std::string(text)};
  Histogram histogram;
  if (!(in >> histogram.largest_ >> histogram.sum_)) return std::nullopt;
  std::size_t bucket = 0;
  std::uint64_t count = 0;
  while (in >> bucket) {
    if (bucket >= kBuckets || !(in >> count)) return std::nullopt;
    histogram.counts_[bucket] += count;
    histogram.count_ += count;
  }
  if (!in.eof() || histogram.largest_ > kLargest) return std::nullopt;
  return histogram;
}

}  // namespace ganglion::bench
