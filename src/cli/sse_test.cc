#include "cli/sse.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <vector>

namespace ganglion::cli {
namespace {

std::vector<SseEvent> parse(std::string_view bytes) {
  std::vector<SseEvent> events;
  SseParser parser;
  EXPECT_TRUE(parser.feed(bytes, [&](SseEvent event) { events.push_back(std::move(event)); }));
  return events;
}

TEST(Sse, an_empty_line_ends_an_event) {
  const auto events = parse("id: 7\nevent: entry\ndata: {\"a\":1}\n\ndata: next\n\n");
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0], (SseEvent{"entry", "{\"a\":1}", "7"}));
  EXPECT_EQ(events[1], (SseEvent{"message", "next", "7"})) << "the last id stays until another comes";
}

TEST(Sse, several_data_lines_are_joined_by_line_ends) {
  EXPECT_EQ(parse("data: a\ndata:b\ndata\n\n").at(0).data, "a\nb\n");
}

TEST(Sse, any_line_end_will_do) {
  EXPECT_EQ(parse("data: a\r\n\r\ndata: b\r\rdata: c\n\n").size(), 3u);
}

TEST(Sse, comments_unknown_fields_and_events_without_data_are_dropped) {
  EXPECT_TRUE(parse(": keep-alive\n\nretry: 10\nfoo: bar\nevent: x\n\n").empty());
}

TEST(Sse, an_event_that_is_not_finished_does_not_count) {
  EXPECT_TRUE(parse("data: a\n").empty());
}

TEST(Sse, a_byte_order_mark_at_the_start_is_skipped) {
  EXPECT_EQ(parse("\xEF\xBB\xBF"
                  "data: a\n\n")
                .size(),
            1u);
}

TEST(Sse, an_id_with_a_nul_is_ignored) {
  EXPECT_EQ(parse(std::string_view("id: 1\nid: 2\0\ndata: a\n\n", 22)).at(0).last_id, "1");
}

TEST(Sse, refuses_an_event_that_never_ends) {
  SseParser parser;
  const std::string piece = "data: " + std::string(1 << 20, 'x') + "\n";
  Result<void> fed;
  for (int i = 0; i < 64 && fed; ++i) fed = parser.feed(piece, [](SseEvent) {});
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, "event_too_large");
}

TEST(Sse, how_the_bytes_are_cut_makes_no_difference) {
  rc::check("pieces give the same events as the whole", [] {
    const auto bytes = *rc::gen::container<std::string>(
        rc::gen::element('d', 'a', 't', ':', ' ', '\n', '\r', 'i', '\n', 'e', 'v', '\xEF'));
    const std::string text = "data: x\nid: 1\r\n" + bytes + "\n\n";
    std::vector<SseEvent> events;
    SseParser parser;
    for (std::size_t at = 0; at < text.size();) {
      const auto length = *rc::gen::inRange<std::size_t>(1, 6);
      RC_ASSERT(
          parser.feed(std::string_view(text).substr(at, length), [&](SseEvent e) { events.push_back(e); }));
      at += length;
    }
    RC_ASSERT(events == parse(text));
  });
}

TEST(Sse, any_bytes_are_read_without_a_crash) {
  rc::check([](const std::string& bytes) {
    SseParser parser;
    RC_ASSERT(parser.feed(bytes, [](SseEvent event) { RC_ASSERT(!event.type.empty()); }).has_value());
  });
}

}  // namespace
}  // namespace ganglion::cli
