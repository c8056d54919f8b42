#include "sim/runner/shrink.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>
#include <utility>

namespace ganglion::sim {
namespace {

using Events = std::vector<std::string>;

class Shrinker {
 public:
  Shrinker(const StillFails& still_fails, const ShrinkOptions& options)
      : still_fails_(still_fails), options_(options) {}

  Shrunk run(Events events) {
    if (fails({})) return {{}, tries_, true};
    std::size_t pieces = 2;
    while (events.size() > 1 && !out_of_tries()) {
      pieces = std::min(pieces, events.size());
      if (auto smaller = one_piece(events, pieces)) {
        events = *std::move(smaller);
        pieces = 2;
      } else if (auto rest = all_but_one_piece(events, pieces)) {
        events = *std::move(rest);
        pieces = std::max<std::size_t>(pieces - 1, 2);
      } else if (pieces == events.size()) {
        break;
      } else {
        pieces *= 2;
      }
    }
    return {std::move(events), tries_, !out_of_tries()};
  }

 private:
  bool out_of_tries() const { return tries_ >= options_.max_tries; }
  bool fails(const Events& events) {
    if (out_of_tries()) return false;
    ++tries_;
    return still_fails_(events);
  }

  static std::pair<std::size_t, std::size_t> bounds(std::size_t size, std::size_t pieces, std::size_t piece) {
    return {size * piece / pieces, size * (piece + 1) / pieces};
  }

  std::optional<Events> one_piece(const Events& events, std::size_t pieces) {
    for (std::size_t piece = 0; piece < pieces; ++piece) {
      const auto [begin, end] = bounds(events.size(), pieces, piece);
      Events part(events.begin() + static_cast<std::ptrdiff_t>(begin),
                  events.begin() + static_cast<std::ptrdiff_t>(end));
      if (fails(part)) return part;
    }
    return std::nullopt;
  }

  std::optional<Events> all_but_one_piece(const Events& events, std::size_t pieces) {
    if (pieces <= 2) return std::nullopt;  // the same as one piece
    for (std::size_t piece = 0; piece < pieces; ++piece) {
      const auto [begin, end] = bounds(events.size(), pieces, piece);
      Events rest(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(begin));
      rest.insert(rest.end(), events.begin() + static_cast<std::ptrdiff_t>(end), events.end());
      if (fails(rest)) return rest;
    }
    return std::nullopt;
  }

  const StillFails& still_fails_;
  const ShrinkOptions options_;
  std::size_t tries_ = 0;
};

bool is_id(std::string_view word) {
  const auto upper_or_digit = [](unsigned char c) { return std::isdigit(c) != 0 || std::isupper(c) != 0; };
  return word.size() == 26 && std::ranges::all_of(word, upper_or_digit);
}

}  // namespace

Shrunk shrink(Events events, const StillFails& still_fails, const ShrinkOptions& options) {
  return Shrinker(still_fails, options).run(std::move(events));
}

std::string kind_of_violation(const std::string& violation) {
  std::string kind;
  std::string word;
  const auto end_word = [&] {
    if (is_id(word)) {
      kind += '#';
    } else {
      for (const char c : word) {
        const bool digit = std::isdigit(static_cast<unsigned char>(c)) != 0;
        if (!digit) {
          kind += c;
        } else if (kind.empty() || kind.back() != '#') {
          kind += '#';
        }
      }
    }
    word.clear();
  };
  for (const char c : violation) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      word += c;
      continue;
    }
    end_word();
    kind += c;
  }
  end_word();
  return kind;
}

}  // namespace ganglion::sim
