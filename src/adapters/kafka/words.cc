#include "adapters/kafka/words.h"

#include "base/overloaded.h"
#include "base/url_parts.h"
#include "ports/bus_check.h"

namespace ganglion::kafka {
namespace {

constexpr std::string_view kFormat = "ganglion 1 ";
constexpr std::size_t kMaxSession = 64;

std::string line_of(std::string_view verb, const std::string& queue, Offset at) {
  return std::string(verb) + ' ' + queue + ' ' + std::to_string(at);
}

std::string line_of(const Word& word) {
  return std::visit(
      Overloaded{[](const word::Hello&) { return std::string("hello"); },
                 [](const word::Leave&) { return std::string("leave"); },
                 [](const word::Inherit& inherit) { return "inherit " + inherit.from; },
                 [](const word::Declare& declare) {
                   return line_of("declare", declare.queue, declare.begin) + ' ' + text_of(declare.options);
                 },
                 [](const word::Remove& remove) { return line_of("remove", remove.queue, remove.made); },
                 [](const word::Want& want) {
                   return line_of("want", want.queue, want.made) + ' ' + std::to_string(want.count);
                 },
                 [](const word::Done& done) {
                   std::string line = line_of("done", done.queue, done.made);
                   for (const Range& range : done.ranges) line += ' ' + text_of(range);
                   return line;
                 }},
      word);
}

bool is_session(std::string_view text) {
  return !text.empty() && text.size() <= kMaxSession &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

struct QueueAt {
  std::string queue;
  Offset at;
};

std::optional<QueueAt> read_queue(std::string_view& line) {
  const std::string_view name = take_until(line, ' ');
  const auto at = read_offset(take_until(line, ' '));
  if (!is_bus_name(name) || !at) return std::nullopt;
  return QueueAt{std::string(name), *at};
}

std::optional<Word> read_declare(QueueAt queue, std::string_view line) {
  const auto options = read_options(line);
  if (!options || !line.empty()) return std::nullopt;
  return word::Declare{std::move(queue.queue), queue.at, *options};
}

std::optional<Word> read_want(QueueAt queue, std::string_view line) {
  const auto count = parse_number<std::uint32_t>(line);
  if (!count || *count == 0 || *count > kMaxWant) return std::nullopt;
  return word::Want{std::move(queue.queue), queue.at, *count};
}

std::optional<Word> read_done(QueueAt queue, std::string_view line) {
  word::Done done{.queue = std::move(queue.queue), .made = queue.at};
  while (!line.empty()) {
    const auto range = read_range(take_until(line, ' '));
    if (!range) return std::nullopt;
    done.ranges.push_back(*range);
  }
  return done;
}

std::optional<Word> read_word(std::string_view line) {
  const std::string_view verb = take_until(line, ' ');
  if (verb == "hello" && line.empty()) return word::Hello{};
  if (verb == "leave" && line.empty()) return word::Leave{};
  if (verb == "inherit" && is_session(line)) return word::Inherit{SessionId(line)};
  auto queue = read_queue(line);
  if (!queue) return std::nullopt;
  if (verb == "declare") return read_declare(std::move(*queue), line);
  if (verb == "remove" && line.empty()) return word::Remove{std::move(queue->queue), queue->at};
  if (verb == "want") return read_want(std::move(*queue), line);
  if (verb == "done") return read_done(std::move(*queue), line);
  return std::nullopt;
}

}  // namespace

std::string text_of(const Entry& entry) {
  std::string text = std::string(kFormat) + entry.session + ' ' + std::to_string(entry.number);
  for (const Word& word : entry.words) text += '\n' + line_of(word);
  return text;
}

std::optional<Entry> read_entry(std::string_view text) {
  if (!text.starts_with(kFormat)) return std::nullopt;
  text.remove_prefix(kFormat.size());
  std::string_view line = take_until(text, '\n');
  Entry entry{.session = SessionId(take_until(line, ' '))};
  const auto number = parse_number<std::uint64_t>(line);
  if (!is_session(entry.session) || !number) return std::nullopt;
  entry.number = *number;
  while (!text.empty()) {
    auto word = read_word(take_until(text, '\n'));
    if (!word) return std::nullopt;
    entry.words.push_back(std::move(*word));
  }
  return entry;
}

std::string text_of(const QueueOptions& options) {
  return std::to_string(options.max_length) + ' ' + std::to_string(options.max_deliveries) + ' ' +
         std::to_string(options.claim_after.count());
}

std::optional<QueueOptions> read_options(std::string_view& line) {
  const auto max_length = parse_number<std::uint64_t>(take_until(line, ' '));
  const auto max_deliveries = parse_number<std::uint32_t>(take_until(line, ' '));
  const auto claim_after = parse_number<std::int64_t>(take_until(line, ' '));
  if (!max_length || !max_deliveries || !claim_after) return std::nullopt;
  return QueueOptions{*max_length, *max_deliveries, Duration(*claim_after)};
}

std::string text_of(const Range& range) {
  const std::string first = std::to_string(range.first);
  return range.first == range.last ? first : first + '-' + std::to_string(range.last);
}

std::optional<Offset> read_offset(std::string_view text) {
  const auto offset = parse_number<Offset>(text);
  if (!offset || *offset < 0 || *offset > kMaxOffset) return std::nullopt;
  return offset;
}

std::optional<Range> read_range(std::string_view text) {
  const auto first = read_offset(take_until(text, '-'));
  const auto last = text.empty() ? first : read_offset(text);
  if (!first || !last || *last < *first) return std::nullopt;
  return Range{*first, *last};
}

}  // namespace ganglion::kafka
