#include "sim/scenario/latency.h"

#include <algorithm>
#include <array>
#include <bit>

#include "base/overloaded.h"

namespace ganglion::scenario {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::int64_t kOne = std::int64_t{1} << kFractionBits;
constexpr std::int64_t kLimit = std::int64_t{1} << 62;

// 2^(2^-k) for k = 1 … kFractionBits, with 30 bits behind the point.
constexpr int kRootBits = 30;
constexpr std::array<std::uint64_t, kFractionBits> kRoots = {
    1518500250, 1276901417, 1170923762, 1121280436, 1097253708, 1085434106, 1079572136, 1076653033,
    1075196443, 1074468888, 1074105294, 1073923544, 1073832680, 1073787251, 1073764537, 1073753181,
    1073747502, 1073744663, 1073743244, 1073742534, 1073742179, 1073742001, 1073741913, 1073741868,
};

constexpr std::uint64_t kNaturalOfBinary = 2'977'044'472;  // ln 2, with 32 bits behind the point
constexpr std::int64_t kQuantile99 = 39'029'641;           // of the normal distribution: 2.3263…

// How far from the middle the normal distribution has the probability p beyond it, kFractionBits behind the
// point: for each octave 2^-(k+2) <= p < 2^-(k+1), k = 0 … kOctaves-1, at p = 2^-(k+2) * (1 + cell/kCells).
// Between them a straight line is near enough: the quantiles are off by less than a thousandth. Made with
//   python3 -c "from statistics import NormalDist as N
//   print([round(-N().inv_cdf(2.0**-(k+2) * (1 + c/8)) * 2**24) for k in range(32) for c in range(8)])"
constexpr int kOctaves = 32;
constexpr int kCellBits = 3;
constexpr int kCells = 1 << kCellBits;
constexpr std::array<std::int64_t, std::size_t{kOctaves} * kCells> kTail = {
    11316060,  9716225,   8200307,   6748636,   5345881,   3979591,   2639235,   1315542,   19299660,
    18077711,  16944823,  15884362,  14883849,  13933660,  13026196,  12155334,  25738272,  24720684,
    23786689,  22921097,  22112554,  21352340,  20633606,  19950867,  31251455,  30364953,  29555925,
    28810307,  28117603,  27469762,  26860468,  26284673,  36136021,  35342113,  34620253,  33957314,
    33343507,  32771334,  32234917,  31729561,  40559910,  39835600,  39178709,  38576898,  38020977,
    37503910,  37020189,  36565415,  44628526,  43958853,  43352655,  42798267,  42287010,  41812244,
    41368771,  40952447,  48412920,  47787535,  47222240,  46705955,  46230439,  45789391,  45377884,
    44991991,  51963552,  51374963,  50843531,  50358684,  49912565,  49499171,  49113807,  48752733,
    55317725,  54760309,  54257483,  53799124,  53377713,  52987504,  52624012,  52283659,  58503899,
    57973314,  57495053,  57059391,  56659106,  56288687,  55943828,  55621099,  61544353,  61037167,
    60580286,  60164343,  59782384,  59429102,  59100355,  58792843,  64456901,  63970348,  63532288,
    63133676,  62767801,  62429541,  62114899,  61820694,  67256044,  66787855,  66366523,  65983296,
    65631680,  65306723,  65004560,  64722115,  69953765,  69502055,  69095715,  68726261,  68387397,
    68074325,  67783299,  67511342,  72560101,  72123282,  71730476,  71373442,  71046068,  70743694,
    70462688,  70200157,  75083552,  74660273,  74279762,  73934002,  73617048,  73324370,  73052437,
    72798437,  77531391,  77120493,  76751214,  76415744,  76108295,  75824457,  75560789,  75314558,
    79909897,  79510375,  79151408,  78825380,  78526647,  78250908,  77994811,  77755690,  82224535,
    81835511,  81486054,  81168729,  80878024,  80609742,  80360611,  80128030,  84480094,  84100796,
    83760146,  83450874,  83167595,  82906207,  82663514,  82436974,  86680797,  86310545,  85978078,
    85676287,  85399902,  85144913,  84908192,  84687255,  88830394,  88468580,  88143745,  87848926,
    87578964,  87329933,  87098772,  86883048,  90932228,  90578310,  90260613,  89972312,  89708353,
    89464889,  89238919,  89028063,  92989298,  92642788,  92331785,  92049595,  91791263,  91553013,
    91331907,  91125607,  95004301,  94664760,  94360052,  94083607,  93830561,  93597210,  93380671,
    93178650,  96979679,  96646710,  96347935,  96076902,  95828836,  95600098,  95387858,  95189865,
    98917647,  98590887,  98297717,  98031796,  97788430,  97564047,  97355863,  97161669,  100820223,
    100499342, 100211477, 99950393,  99711474,  99491209,  99286862,  99096259,  102689250, 102373947,
    102091113, 101834615, 101599912, 101383549, 101182836, 100995636, 104526420, 104216417, 103938363,
    103686220, 103455520, 103242863, 103045600, 102861628, 106333286, 106028329, 105754823, 105506824,
    105279931, 105070797, 104876815, 104695913,
};

Duration bounded(std::uint64_t milliseconds) {
  const auto most = static_cast<std::uint64_t>(kMaxSpan.count());
  return Duration(static_cast<std::int64_t>(std::min(milliseconds, most)));
}

Duration log_normal(const LogNormalLatency& latency, std::uint64_t word) {
  const auto median = static_cast<std::uint64_t>(latency.p50.count());
  const auto high = static_cast<std::uint64_t>(latency.p99.count());
  const std::int64_t spread = binary_logarithm(high) - binary_logarithm(median);
  const std::int64_t exponent = normal_quantile(word) * spread / kQuantile99;
  const std::uint64_t microseconds = scaled(median * 1'000, exponent);
  return bounded((microseconds + 500) / 1'000);
}

}  // namespace

std::int64_t binary_logarithm(std::uint64_t x) {
  const int whole = std::bit_width(x) - 1;
  std::uint64_t rest = (x << (63 - whole)) >> 32;  // x / 2^whole in [1, 2), with 31 bits behind the point
  std::int64_t fraction = 0;
  for (int bit = 0; bit < kFractionBits; ++bit) {
    rest = (rest * rest) >> 31;
    const bool reached_two = rest >> 32 != 0;
    fraction = fraction * 2 + (reached_two ? 1 : 0);
    if (reached_two) rest >>= 1;
  }
  return whole * kOne + fraction;
}

std::uint64_t scaled(std::uint64_t x, std::int64_t exponent) {
  const std::int64_t fraction = exponent & (kOne - 1);
  const std::int64_t whole = (exponent - fraction) / kOne;
  std::uint64_t factor = std::uint64_t{1} << kRootBits;
  for (int bit = 0; bit < kFractionBits; ++bit) {
    if ((fraction >> (kFractionBits - 1 - bit) & 1) != 0) {
      factor = factor * kRoots[static_cast<std::size_t>(bit)] >> kRootBits;
    }
  }
  const Wide product = Wide{x} * factor;  // < 2^95
  const std::int64_t shift = kRootBits - whole;
  if (shift >= 127 || product == 0) return 0;
  if (shift < -32) return static_cast<std::uint64_t>(kLimit);
  const Wide result = shift >= 0 ? product >> shift : product << -shift;
  return static_cast<std::uint64_t>(std::min<Wide>(result, static_cast<Wide>(kLimit)));
}

std::int64_t normal_quantile(std::uint64_t word) {
  const bool above = (word & 1) != 0;
  const std::uint64_t tail = word >> 1;  // the probability beyond, of 2^64
  const int octave = std::countl_zero(tail) - 1;
  constexpr std::int64_t kFarthest = kTail[std::size_t{kOctaves - 1} * kCells];
  if (octave >= kOctaves) return above ? kFarthest : -kFarthest;
  // What follows the leading one: the cell, and how far into it.
  const std::uint64_t rest = tail << (octave + 2);
  const auto cell = static_cast<int>(rest >> (64 - kCellBits));
  const auto into = static_cast<std::int64_t>((rest << kCellBits) >> 32);
  const auto at = [](int octave_of, int cell_of) {
    return kTail[static_cast<std::size_t>(octave_of) * kCells + static_cast<std::size_t>(cell_of)];
  };
  const std::int64_t left = at(octave, cell);
  const bool last = cell + 1 == kCells;
  const std::int64_t right = !last ? at(octave, cell + 1) : octave == 0 ? 0 : at(octave - 1, 0);
  const std::int64_t distance = left - ((left - right) * into >> 32);
  return above ? distance : -distance;
}

Duration sample(const Latency& latency, std::uint64_t word) {
  return std::visit(Overloaded{[](const FixedLatency& fixed) { return std::min(fixed.value, kMaxSpan); },
                               [&](const UniformLatency& uniform) {
                                 return std::min(
                                     Duration(between(uniform.min.count(), uniform.max.count(), word)),
                                     kMaxSpan);
                               },
                               [&](const LogNormalLatency& spread) { return log_normal(spread, word); }},
                    latency);
}

std::chrono::nanoseconds sample_gap(const Rate& rate, std::uint64_t word) {
  // -ln(u) * mean, for u = word / 2^64.
  const std::int64_t bits = 64 * kOne - binary_logarithm(word | 1);
  const Wide gap = Wide{static_cast<std::uint64_t>(rate.mean_gap.count())} *
                       static_cast<std::uint64_t>(bits) * kNaturalOfBinary >>
                   (kFractionBits + 32);
  return std::chrono::nanoseconds(static_cast<std::int64_t>(std::min<Wide>(gap, static_cast<Wide>(kLimit))));
}

std::vector<Duration> moments(const Timing& timing, Duration end, std::uint64_t most, const Draws& draws) {
  std::vector<Duration> times;
  const auto add = [&](Duration time) {
    if (time >= end || times.size() >= most) return false;
    times.push_back(time);
    return true;
  };
  std::visit(Overloaded{[&](const Rate& rate) {
                          std::chrono::nanoseconds time{0};
                          for (std::uint64_t i = 0; rate.mean_gap.count() > 0; ++i) {
                            time += sample_gap(rate, draws.word("gap", i));
                            if (!add(std::chrono::floor<Duration>(time))) return;
                          }
                        },
                        [&](const Every& every) {
                          const Duration gap = std::max(every.gap, Duration(1));
                          for (Duration time{0}; add(time); time += gap) {
                          }
                        },
                        [&](const AtTimes& at) {
                          for (const Duration time : at.times) add(time);
                        }},
             timing);
  return times;
}

}  // namespace ganglion::scenario
