#include "core/ids.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/assert.h"

namespace ganglion {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::uint8_t kNoDigit = 255;
// What each character of the alphabet stands for.
constexpr std::array<std::uint8_t, 256> kDigits = [] {
  std::array<std::uint8_t, 256> digits;
  digits.fill(kNoDigit);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    digits[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return digits;
}();
constexpr std::int64_t kMaxTime = (std::int64_t{1} << 48) - 1;

bool is_decimal(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Decimal without sign or leading zeros, so that every token has exactly one text.
std::optional<std::uint32_t> parse_number(std::string_view text) {
  std::uint32_t value = 0;
  if (!is_decimal(text) || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

RunId RunId::make(Timestamp now, std::uint16_t entropy_high, std::uint64_t entropy_low) {
  GANGLION_ASSERT(now.milliseconds_since_epoch() >= 0 && now.milliseconds_since_epoch() <= kMaxTime);
  const auto time = static_cast<std::uint64_t>(now.milliseconds_since_epoch());
  return RunId((time << 16) | entropy_high, entropy_low);
}

std::string RunId::text() const {
  std::string text(kLength, '0');
  std::uint64_t high = high_;
  std::uint64_t low = low_;
  for (std::size_t at = kLength; at-- > 0;) {
    text[at] = kAlphabet[low & 31];
    low = (low >> 5) | (high << 59);
    high >>= 5;
  }
  return text;
}

RunId::Bytes RunId::bytes() const {
  Bytes bytes;
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<unsigned char>(high_ >> (56 - 8 * i));
    bytes[8 + i] = static_cast<unsigned char>(low_ >> (56 - 8 * i));
  }
  return bytes;
}

RunId RunId::from_bytes(const Bytes& bytes) {
  RunId id;
  for (std::size_t i = 0; i < 8; ++i) {
    id.high_ = (id.high_ << 8) | bytes[i];
    id.low_ = (id.low_ << 8) | bytes[8 + i];
  }
  return id;
}

std::optional<RunId> RunId::parse(std::string_view text) {
  // 26 characters hold 130 bits, of which the upper two are none of the id's.
  if (text.size() != kLength || text.front() > '7') return std::nullopt;
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  for (const char c : text) {
    const std::uint8_t digit = kDigits[static_cast<unsigned char>(c)];
    if (digit == kNoDigit) return std::nullopt;
    high = (high << 5) | (low >> 59);
    low = (low << 5) | digit;
  }
  return RunId(high, low);
}

std::string AttemptToken::text() const {
  return idempotency_key() + "/" + std::to_string(attempt.value());
}

std::string AttemptToken::idempotency_key() const {
  return run.text() + "/" + std::to_string(step.value()) + "/" + std::to_string(item.value());
}

namespace {

std::optional<AttemptToken> parse_token(std::string_view text, char separator) {
  std::array<std::string_view, 4> parts;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    const std::size_t end = text.find(separator);
    if (end == std::string_view::npos) return std::nullopt;
    parts[i] = text.substr(0, end);
    text.remove_prefix(end + 1);
  }
  parts.back() = text;
  const auto run = RunId::parse(parts[0]);
  const auto step = parse_number(parts[1]);
  const auto item = parse_number(parts[2]);
  const auto attempt = parse_number(parts[3]);
  if (!run || !step || !item || !attempt || *attempt == 0) return std::nullopt;
  return AttemptToken{*run, StepIndex(*step), ItemIndex(*item), Attempt(*attempt)};
}

}  // namespace

std::optional<AttemptToken> AttemptToken::parse(std::string_view text) {
  return parse_token(text, '/');
}

std::string AttemptToken::path_text() const {
  std::string text = this->text();
  std::ranges::replace(text, '/', '-');
  return text;
}

std::optional<AttemptToken> AttemptToken::parse_path(std::string_view text) {
  return parse_token(text, '-');
}

// Mixed as splitmix64 does.
RunId RunId::of_sub_run(const AttemptToken& task, Timestamp scheduled_at) {
  std::uint64_t hash = task.run.high_ ^ (task.run.low_ * 0x9E3779B97F4A7C15U);
  const auto mix = [&hash](std::uint64_t part) {
    hash += part + 0x9E3779B97F4A7C15U;
    hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9U;
    hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EBU;
    hash ^= hash >> 31;
    return hash;
  };
  for (const std::uint32_t part : {task.step.value(), task.item.value()}) mix(part);
  mix(task.run.low_);
  return make(scheduled_at, task.run.placement_key(), mix(task.attempt.value()));
}

}  // namespace ganglion
