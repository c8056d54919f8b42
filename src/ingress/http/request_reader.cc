#include "ingress/http/request_reader.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <utility>

#include "base/assert.h"

namespace ganglion::http {
namespace {

namespace beast_http = boost::beast::http;
using boost::system::error_code;
using StringView = boost::beast::string_view;

// A body grows as it comes: a declared length alone must not cost memory.
constexpr std::size_t kFirstReservation = 64 * 1024;

constexpr std::size_t kLastChunk = std::string_view("0\r\n\r\n").size();

ReadFault to_fault(const error_code& error, const ReaderLimits& limits, std::size_t body) {
  if (error == beast_http::error::body_limit) {
    return {413, "too_large", "the body has more than " + std::to_string(body) + " bytes"};
  }
  if (error == beast_http::error::header_limit) {
    return {431, "headers_too_large", "the headers have more than " + std::to_string(limits.head) + " bytes"};
  }
  return {400, "malformed_request", "the request can't be parsed: " + error.message()};
}

}  // namespace

class RequestReader::Parser final : public beast_http::basic_parser<true> {
 public:
  Parser(Request& request, std::size_t head, std::size_t body) : request_(request) {
    eager(true);
    header_limit(static_cast<std::uint32_t>(head));
    body_limit(body);
  }

 private:
  std::uint32_t position_of(StringView part) const {
    return static_cast<std::uint32_t>(part.data() - request_.head.data());
  }

  void on_request_impl(beast_http::verb, StringView method, StringView target, int version,
                       error_code&) override {
    request_.method = ganglion::http::parse_method(std::string_view(method.data(), method.size()));
    request_.target_at = position_of(target);
    request_.target_size = static_cast<std::uint32_t>(target.size());
    request_.http_1_1 = version == 11;
  }
  void on_response_impl(int, StringView, int, error_code&) override {}
  void on_field_impl(beast_http::field, StringView name, StringView value, error_code&) override {
    if (header_seen_) return;  // a trailer: nothing here has a use for one
    request_.fields.push_back({position_of(name), static_cast<std::uint32_t>(name.size()), position_of(value),
                               static_cast<std::uint32_t>(value.size())});
  }
  void on_header_impl(error_code&) override { header_seen_ = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) override {
    if (length) request_.body.reserve(std::min<std::size_t>(*length, kFirstReservation));
  }
  std::size_t on_body_impl(StringView body, error_code&) override {
    request_.body.append(body.data(), body.size());
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, StringView, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, StringView body, error_code&) override {
    request_.body.append(body.data(), body.size());
    return body.size();
  }
  void on_finish_impl(error_code&) override {}

  Request& request_;
  bool header_seen_ = false;
};

RequestReader::RequestReader(const ReaderLimits& limits, std::size_t largest_body)
    : limits_(limits), largest_body_(std::max(limits.body, largest_body)) {}
RequestReader::~RequestReader() = default;

std::size_t RequestReader::feed(std::string_view bytes) {
  switch (state_) {
    case State::idle:
    case State::head:
      return feed_head(bytes);
    case State::body:
      return feed_body(bytes);
    case State::complete:
    case State::failed:
      return 0;
  }
  return 0;
}

std::size_t RequestReader::feed_head(std::string_view bytes) {
  if (bytes.empty()) return 0;
  std::string& head = request_.head;
  // RFC 9112, 2.2: an empty line before the request line is passed over. One: more of them would be a way to
  // stay.
  if (!skipped_line_ && head.empty() && bytes.starts_with("\r\n")) {
    skipped_line_ = true;
    return 2;
  }
  if (!skipped_line_ && head == "\r" && bytes.starts_with("\n")) {
    skipped_line_ = true;
    head.clear();
    return 1;
  }
  state_ = State::head;
  const std::size_t before = head.size();
  const std::size_t room = limits_.head - before;
  const std::string_view part = bytes.substr(0, room);
  head.append(part);
  const std::size_t end = head.find("\r\n\r\n", before < 3 ? 0 : before - 3);
  // What comes after the head in the same read is body, where a line feed is nothing special.
  const std::string_view fresh =
      std::string_view(head).substr(before, end == std::string::npos ? std::string::npos : end + 4 - before);
  if (has_bare_line_feed(fresh, before == 0 ? '\0' : head[before - 1])) {
    fail_with({400, "malformed_request", "a line ends with LF alone"});
    return 0;
  }
  if (end != std::string::npos) {
    head.resize(end + 4);
    finish_head();
    return head.size() - before;
  }
  if (head.size() > limits_.target + 64 && head.find("\r\n") == std::string::npos) {
    fail_with({414, "target_too_long",
               "the request target has more than " + std::to_string(limits_.target) + " bytes"});
  } else if (head.size() >= limits_.head) {
    fail_with(
        {431, "headers_too_large", "the headers have more than " + std::to_string(limits_.head) + " bytes"});
  }
  return part.size();
}

void RequestReader::finish_head() {
  if (auto fault = check_head(request_.head, limits_)) return fail_with(*std::move(fault));
  body_limit_ = largest_body_;
  parser_ = std::make_unique<Parser>(request_, limits_.head, body_limit_);
  error_code error;
  const std::size_t used = parser_->put(boost::asio::buffer(std::as_const(request_.head)), error);
  if (error == beast_http::error::need_more) error = {};
  if (error) return fail_with(to_fault(error, limits_, body_limit_));
  GANGLION_ASSERT(used == request_.head.size() && parser_->is_header_done());

  request_.keep_alive = parser_->keep_alive();
  if (const auto expectation = request_.header("expect"); expectation && request_.http_1_1) {
    if (!equal_ignoring_case(*expectation, "100-continue")) {
      return fail_with(
          {417, "expectation_failed", "the only expectation that is understood is 100-continue"});
    }
    request_.expects_continue = true;
  }
  state_ = State::body;
  if (parser_->is_done()) {
    parser_.reset();
    state_ = State::complete;
  }
}

std::size_t RequestReader::feed_body(std::string_view bytes) {
  if (bytes.empty()) return 0;
  const bool joined = !pending_.empty();
  if (joined) pending_.append(bytes);
  const std::string_view input = joined ? std::string_view(pending_) : bytes;

  // Beast's parser asserts that it sees the last chunk's five bytes together; a chunked body never has fewer
  // to come.
  if (parser_->chunked() && input.size() < kLastChunk) {
    if (!joined) pending_ = bytes;
    return bytes.size();
  }
  error_code error;
  std::size_t used = 0;
  while (used < input.size() && !parser_->is_done() && !error) {
    used += parser_->put(boost::asio::buffer(input.data() + used, input.size() - used), error);
  }
  if (error && error != beast_http::error::need_more) {
    fail_with(to_fault(error, limits_, body_limit_));
    return 0;
  }
  const std::size_t left = input.size() - used;
  if (parser_->is_done()) {
    parser_.reset();
    pending_ = {};
    state_ = State::complete;
    return bytes.size() - left;
  }
  if (left > limits_.chunk_overhead) {
    fail_with({400, "malformed_request", "a chunk's header or the trailers are too long"});
    return 0;
  }
  std::string kept(input.substr(used));
  if (has_bare_line_feed(kept, '\0')) {
    fail_with({400, "malformed_request", "a chunk's line ends with LF alone"});
    return 0;
  }
  pending_ = std::move(kept);
  return bytes.size();
}

Request RequestReader::take() {
  GANGLION_ASSERT(state_ == State::complete);
  state_ = State::idle;
  skipped_line_ = false;
  return std::exchange(request_, Request{});
}

std::size_t RequestReader::remaining() const {
  if (state_ != State::body) return 0;
  const auto left = parser_->content_length_remaining();
  return left ? static_cast<std::size_t>(*left) : 0;
}

void RequestReader::limit_body(std::size_t bytes) {
  if (state_ != State::body || bytes >= body_limit_) return;
  body_limit_ = bytes;
  if (remaining() > bytes) return fail_with(to_fault(beast_http::error::body_limit, limits_, bytes));
  parser_->body_limit(bytes);
}

void RequestReader::discard() {
  state_ = State::failed;
  parser_.reset();
  request_ = {};
  pending_ = {};
}

void RequestReader::fail_with(ReadFault fault) {
  state_ = State::failed;
  fault_ = std::move(fault);
  parser_.reset();
  pending_ = {};
}

}  // namespace ganglion::http
