#include "bench/load/trace.h"

#include <algorithm>
#include <boost/json.hpp>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "base/time.h"

namespace ganglion::bench {
namespace {

namespace json = boost::json;

// A shorter output may stand anywhere by chance.
constexpr std::size_t kShortestQuote = 20;

struct Span {
  std::string id;
  Timestamp start, end;
  std::string input, output;
};

std::unexpected<Error> invalid(const std::string& what) {
  return fail("invalid_trace", what);
}

std::string text_of(const json::object& object, const char* name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : "";
}

// Recorders write UTC without saying so.
Result<Timestamp> time_of(const json::object& span, const char* name) {
  std::string text = text_of(span, name);
  const std::size_t clock = text.find('T');
  if (clock != std::string::npos && text.find_first_of("Zz+-", clock) == std::string::npos) text += 'Z';
  return parse_rfc3339(text);
}

// What the messages say, without JSON around it.
std::string said(const std::string& messages) {
  boost::system::error_code error;
  const json::value list = json::parse(messages, error);
  if (error || !list.is_array()) return messages;
  std::string text;
  for (const json::value& message : list.as_array()) {
    if (message.is_object()) text += text_of(message.as_object(), "content") + '\n';
  }
  return text;
}

Result<Span> span_of(const json::object& object, std::size_t position) {
  const std::string which = "span " + std::to_string(position + 1);
  Span span{.id = text_of(object, "span_id"), .start = {}, .end = {}, .input = {}, .output = {}};
  const auto start = time_of(object, "start_time");
  const auto end = time_of(object, "end_time");
  if (!start || !end) return invalid(which + " needs start_time and end_time, as 2026-01-31T12:00:00.000Z");
  if (*end < *start) return invalid(which + " ends before it starts");
  span.start = *start;
  span.end = *end;
  const json::value* attributes = object.if_contains("attributes");
  if (attributes != nullptr && attributes->is_object()) {
    span.input = text_of(attributes->as_object(), "gen_ai.input.messages");
    span.output = text_of(attributes->as_object(), "gen_ai.output.text");
  }
  return span;
}

// Those that ended before `span` began, without those that ended before another of them began.
std::vector<std::size_t> last_before(const std::vector<Span>& spans, std::size_t at) {
  std::optional<Timestamp> latest_start;
  for (std::size_t i = 0; i < at; ++i) {
    if (spans[i].end <= spans[at].start)
      latest_start = std::max(latest_start.value_or(spans[i].start), spans[i].start);
  }
  std::vector<std::size_t> last;
  for (std::size_t i = 0; i < at; ++i) {
    if (spans[i].end > spans[at].start) continue;
    // One that is instantaneous is not before itself.
    if (spans[i].end > *latest_start || spans[i].start == *latest_start) last.push_back(i);
  }
  return last;
}

std::vector<TracedCall> calls_of(std::vector<Span> spans) {
  std::ranges::sort(spans, {}, [](const Span& span) { return std::tuple(span.start, span.end, span.id); });
  std::vector<TracedCall> calls;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    TracedCall call{.name = spans[i].id,
                    .took = spans[i].end - spans[i].start,
                    .input_bytes = spans[i].input.size(),
                    .output_bytes = spans[i].output.size(),
                    .needs = last_before(spans, i),
                    .quotes = {}};
    const std::string given = said(spans[i].input);
    for (std::size_t j = 0; j < i; ++j) {
      const Span& other = spans[j];
      if (other.end > spans[i].start || other.output.size() < kShortestQuote || !given.contains(other.output))
        continue;
      call.quotes.push_back(j);
      if (std::ranges::find(call.needs, j) == call.needs.end()) call.needs.push_back(j);
    }
    std::ranges::sort(call.needs);
    calls.push_back(std::move(call));
  }
  return calls;
}

}  // namespace

Result<std::vector<TracedCall>> read_trace(std::string_view text) {
  boost::system::error_code error;
  const json::value document = json::parse(text, error);
  if (error) return invalid("it is not JSON: " + error.message());
  const json::value* list = document.is_object() ? document.as_object().if_contains("spans") : nullptr;
  if (list == nullptr || !list->is_array()) return invalid("it needs a list \"spans\"");
  std::set<std::string> parents;
  for (const json::value& span : list->as_array()) {
    if (!span.is_object()) return invalid("each span must be an object");
    parents.insert(text_of(span.as_object(), "parent_span_id"));
  }
  std::vector<Span> spans;
  std::size_t position = 0;
  for (const json::value& object : list->as_array()) {
    auto span = span_of(object.as_object(), position++);
    if (!span) return std::unexpected(span.error());
    if (span->id.empty() || !parents.contains(span->id)) spans.push_back(*std::move(span));
  }
  if (spans.empty()) return invalid("it has no call in it");
  if (spans.size() > kMaxTraceCalls)
    return invalid("it has " + std::to_string(spans.size()) + " calls; at most " +
                   std::to_string(kMaxTraceCalls) + " can be replayed");
  return calls_of(std::move(spans));
}

std::chrono::milliseconds shortest_replay(const std::vector<TracedCall>& calls) {
  std::vector<std::chrono::milliseconds> ends;
  std::chrono::milliseconds longest{};
  for (const TracedCall& call : calls) {
    std::chrono::milliseconds begin{};
    for (const std::size_t need : call.needs) begin = std::max(begin, ends[need]);
    ends.push_back(begin + call.took);
    longest = std::max(longest, ends.back());
  }
  return longest;
}

}  // namespace ganglion::bench
