#include "ingress/http/request_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

namespace ganglion::http {
namespace {

using State = RequestReader::State;

// Feeds all of it in pieces; returns what the reader left over once it was complete or failed.
std::string feed_all(RequestReader& reader, std::string_view bytes, std::size_t piece = 1 << 20) {
  while (!bytes.empty() && reader.state() != State::complete && reader.state() != State::failed) {
    bytes.remove_prefix(reader.feed(bytes.substr(0, piece)));
  }
  return std::string(bytes);
}

std::string with_headers(std::string_view headers) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(headers) + "\r\n";
}

TEST(RequestReader, reads_a_request_without_a_body) {
  const ReaderLimits limits;
  RequestReader reader(limits);
  feed_all(reader, "GET /v1/runs?limit=3 HTTP/1.1\r\nHost: localhost\r\nX-Request-Id:  abc \r\n\r\n");
  ASSERT_EQ(reader.state(), State::complete);
  const Request request = reader.take();
  EXPECT_EQ(request.method, Method::get);
  EXPECT_EQ(request.target(), "/v1/runs?limit=3");
  EXPECT_EQ(request.header("x-request-id"), "abc");
  EXPECT_EQ(request.header("cookie"), std::nullopt);
  EXPECT_TRUE(request.keep_alive);
  EXPECT_EQ(reader.state(), State::idle);
}

TEST(RequestReader, stops_at_the_end_of_the_head_so_that_the_body_can_be_refused) {
  const ReaderLimits limits;
  RequestReader reader(limits);
  const std::string head = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
  EXPECT_EQ(reader.feed(head + "body"), head.size());
  ASSERT_EQ(reader.state(), State::body);
  EXPECT_TRUE(reader.request().expects_continue);
  EXPECT_EQ(reader.remaining(), 4u);
  EXPECT_EQ(reader.feed("bodyGET "), 4u);
  EXPECT_EQ(reader.take().body, "body");
}

TEST(RequestReader, a_body_that_comes_with_its_head_may_have_line_feeds) {
  const ReaderLimits limits;
  RequestReader reader(limits);
  feed_all(reader, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n\n{}\n");
  ASSERT_EQ(reader.state(), State::complete);
  EXPECT_EQ(reader.take().body, "\n{}\n");
}

TEST(RequestReader, reads_the_same_request_in_pieces_of_any_size) {
  const bool holds = rc::check([] {
    const auto piece = *rc::gen::inRange<std::size_t>(1, 60);
    const std::string text =
        "\r\nPOST /a%20b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5;name=\"value\"\r\nhello\r\n1\r\n \r\n00a\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
    const ReaderLimits limits;
    RequestReader reader(limits);
    RC_ASSERT(feed_all(reader, text + "GET /next", piece) == "GET /next");
    RC_ASSERT(reader.state() == State::complete);
    const Request request = reader.take();
    RC_ASSERT(request.body == "hello 0123456789");
    RC_ASSERT(!request.header("trailer"));
  });
  EXPECT_TRUE(holds);
}

TEST(RequestReader, leaves_a_pipelined_request_to_the_caller) {
  const ReaderLimits limits;
  RequestReader reader(limits);
  const std::string one = with_headers("");
  std::string rest = feed_all(reader, one + one + "GET");
  reader.take();
  rest = feed_all(reader, rest);
  ASSERT_EQ(reader.state(), State::complete);
  reader.take();
  EXPECT_EQ(rest, "GET");
  EXPECT_EQ(reader.held(), 0u);
}

TEST(RequestReader, knows_when_the_connection_ends_with_the_request) {
  const ReaderLimits limits;
  for (const auto& [text, keep_alive] : std::vector<std::pair<std::string, bool>>{
           {with_headers("Connection: close\r\n"), false},
           {with_headers("Connection: keep-alive, X\r\n"), true},
           {"GET / HTTP/1.0\r\n\r\n", false},
           {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true}}) {
    RequestReader reader(limits);
    feed_all(reader, text);
    ASSERT_EQ(reader.state(), State::complete) << text;
    EXPECT_EQ(reader.take().keep_alive, keep_alive) << text;
  }
}

struct Malformed {
  std::string bytes;
  int status = 400;
};

TEST(RequestReader, refuses_what_two_readers_could_read_differently) {
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  const std::vector<Malformed> table = {
      // Length and coding.
      {post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"},
      {post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"},
      {post + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"},
      {post + "Content-Length: 3, 3\r\n\r\nabc"},
      {post + "Content-Length: +3\r\n\r\nabc"},
      {post + "Content-Length: -3\r\n\r\nabc"},
      {post + "Content-Length: 0x3\r\n\r\nabc"},
      {post + "Content-Length: 3 3\r\n\r\nabc"},
      {post + "Content-Length:\r\n\r\nabc"},
      {post + "Content-Length: 99999999999999999999999\r\n\r\nabc", 413},
      {post + "Transfer-Encoding: gzip\r\n\r\n"},
      {post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
      {post + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"},
      {post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
      {post + "Transfer-Encoding: \x0b"
              "chunked\r\n\r\n0\r\n\r\n"},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      // Chunks.
      {post + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n"},
      {post + "Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n"},
      {post + "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n"},
      {post + "Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n"},
      {post + "Transfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n"},
      {post + "Transfer-Encoding: chunked\r\n\r\n10000000000000000f\r\nx"},
      {post + "Transfer-Encoding: chunked\r\n\r\nffffffffff\r\nx", 413},
      {post + "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n"},
      // Lines.
      {"GET / HTTP/1.1\nHost: a\n\n"},
      {"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a\r\n X: b\r\n\r\n"},
      {"GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost : a\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX\tY: b\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"},
      {std::string("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 35)},
      // Whom it is for.
      {"GET / HTTP/1.1\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
      // The request line.
      {"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET /\r\nHost: a\r\n\r\n"},
      {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET / x HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET /\t HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"G(T / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n"},
      {"GET / http/1.1\r\nHost: a\r\n\r\n"},
      {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
      {"PRI * HTTP/2.0\r\n\r\n", 505},
      {"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"\x16\x03\x01\x02\x01\x01\xfc\x03\x03\r\n\r\n"},
      {with_headers("Expect: tea\r\n"), 417},
  };
  const ReaderLimits limits;
  for (const Malformed& entry : table) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{1} << 20}) {
      RequestReader reader(limits);
      feed_all(reader, entry.bytes, piece);
      ASSERT_EQ(reader.state(), State::failed) << entry.bytes;
      EXPECT_EQ(reader.fault().status, entry.status) << entry.bytes << reader.fault().detail;
      EXPECT_FALSE(reader.fault().code.empty());
      EXPECT_FALSE(reader.fault().detail.empty());
      EXPECT_EQ(reader.feed("GET / HTTP/1.1\r\n"), 0u);
    }
  }
}

TEST(RequestReader, takes_a_body_up_to_the_limit_and_no_byte_more) {
  ReaderLimits limits;
  limits.body = 2000;
  for (const std::size_t size : {limits.body, limits.body + 1}) {
    RequestReader plain(limits);
    feed_all(plain, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
                        std::string(size, 'x'));
    RequestReader chunked(limits);
    std::string chunks;
    for (std::size_t i = 0; i < size; ++i) chunks += "1\r\nx\r\n";
    feed_all(chunked,
             "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n");
    for (RequestReader* reader : {&plain, &chunked}) {
      if (size == limits.body) {
        ASSERT_EQ(reader->state(), State::complete);
        EXPECT_EQ(reader->take().body.size(), size);
      } else {
        ASSERT_EQ(reader->state(), State::failed);
        EXPECT_EQ(reader->fault().status, 413);
        EXPECT_EQ(reader->fault().code, "too_large");
      }
    }
  }
}

TEST(RequestReader, a_route_narrows_what_the_largest_of_them_allows) {
  ReaderLimits limits;
  limits.body = 2000;
  const std::string declared = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ";
  for (const std::size_t size : {2000u, 2001u}) {
    for (const bool narrowed : {false, true}) {
      RequestReader reader(limits, 5000);
      reader.feed(declared + std::to_string(size) + "\r\n\r\n");
      if (narrowed) reader.limit_body(limits.body);
      if (reader.state() != State::failed) reader.feed(std::string(size, 'x'));
      const bool refused = narrowed && size > limits.body;
      EXPECT_EQ(reader.state(), refused ? State::failed : State::complete) << size << narrowed;
      if (refused) EXPECT_EQ(reader.fault().status, 413);

      RequestReader chunked(limits, 5000);
      chunked.feed("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
      if (narrowed) chunked.limit_body(limits.body);
      const std::string rest = std::string(1000, 'x') + "\r\n";
      for (const std::string& piece :
           {"3e8\r\n" + rest, std::string(size == 2000 ? "3e8\r\n" : "3e9\r\nx") + rest,
            std::string("0\r\n\r\n")}) {
        if (chunked.state() != State::failed) chunked.feed(piece);
      }
      EXPECT_EQ(chunked.state(), refused ? State::failed : State::complete) << size << narrowed;
    }
  }
  RequestReader beyond(limits, 5000);
  beyond.feed(declared + "5001\r\n\r\n");
  EXPECT_EQ(beyond.fault().status, 413);
}

TEST(RequestReader, refuses_a_declared_length_beyond_the_limit_before_the_body_comes) {
  const ReaderLimits limits;
  RequestReader reader(limits);
  feed_all(reader, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8388609\r\n\r\n");
  ASSERT_EQ(reader.state(), State::failed);
  EXPECT_EQ(reader.fault().status, 413);
}

TEST(RequestReader, takes_a_head_up_to_the_limit_and_no_byte_more) {
  ReaderLimits limits;
  limits.head = 4096;
  const std::size_t without = with_headers("X: \r\n").size();
  for (const std::size_t size : {limits.head, limits.head + 1}) {
    RequestReader reader(limits);
    feed_all(reader, with_headers("X: " + std::string(size - without, 'x') + "\r\n"), 100);
    EXPECT_EQ(reader.state(), size == limits.head ? State::complete : State::failed);
    if (reader.state() == State::failed) EXPECT_EQ(reader.fault().status, 431);
  }
}

TEST(RequestReader, refuses_an_endless_head_without_keeping_it) {
  const ReaderLimits limits;
  RequestReader reader(limits);
  feed_all(reader, "GET / HTTP/1.1\r\nX: " + std::string(1 << 20, 'x'), 1000);
  ASSERT_EQ(reader.state(), State::failed);
  EXPECT_EQ(reader.fault().status, 431);
  EXPECT_LE(reader.held(), limits.head);
}

TEST(RequestReader, bounds_the_target_and_the_number_of_headers) {
  ReaderLimits limits;
  limits.target = 100;
  limits.fields = 10;
  for (const std::size_t over : {0u, 1u}) {
    RequestReader target(limits);
    feed_all(target, "GET /" + std::string(limits.target - 1 + over, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n");
    RequestReader fields(limits);
    std::string headers;
    for (std::size_t i = 0; i < limits.fields - 1 + over; ++i) headers += "X: y\r\n";
    feed_all(fields, with_headers(headers));
    if (over == 0) {
      EXPECT_EQ(target.state(), State::complete);
      EXPECT_EQ(fields.state(), State::complete);
    } else {
      EXPECT_EQ(target.fault().status, 414);
      EXPECT_EQ(fields.fault().status, 431);
    }
  }
  RequestReader endless(limits);
  feed_all(endless, "GET /" + std::string(5000, 'x'), 10);
  EXPECT_EQ(endless.fault().status, 414);
}

TEST(RequestReader, bounds_a_chunk_header_and_the_trailers) {
  ReaderLimits limits;
  limits.chunk_overhead = 1000;
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string& body : {"1;a=" + std::string(2000, 'x'), "0\r\nX: " + std::string(2000, 'x')}) {
    RequestReader reader(limits);
    feed_all(reader, head + body, 10);
    EXPECT_EQ(reader.state(), State::failed);
    EXPECT_EQ(reader.fault().status, 400);
  }
}

TEST(RequestReader, a_declared_length_alone_costs_no_memory) {
  const ReaderLimits limits;
  RequestReader reader(limits);
  feed_all(reader, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8388608\r\n\r\nx");
  ASSERT_EQ(reader.state(), State::body);
  EXPECT_LE(reader.request().body.capacity(), 128u * 1024);
}

}  // namespace
}  // namespace ganglion::http
