#pragma once

// Turns the bytes of a connection into requests, without I/O: the caller feeds what it has read and looks at
// the state.
//
//   idle → head → body → complete → (take) → idle
//              ↘ failed (for good: the stream can't be read any further)
//
// `feed` stops at the end of the head, so that the caller can refuse a request before its body comes, and at
// the end of a request, so that a pipelined next one stays with the caller. Memory: nothing while idle; then
// the head and the body, each within its limit. Beast's parser does the parsing and the de-chunking, behind
// head_rules.h; it is in request_reader.cc and nowhere else.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "ingress/http/head_rules.h"
#include "ingress/http/message.h"
#include "ingress/http/options.h"

namespace ganglion::http {

class RequestReader {
 public:
  enum class State { idle, head, body, complete, failed };

  // `limits` outlives the reader. `largest_body` is the limit of a body for whose route there is a larger one
  // than the usual.
  explicit RequestReader(const ReaderLimits& limits, std::size_t largest_body = 0);
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  // Consumes a prefix of `bytes` and says how long it is: all of them, or up to the end of the head or of the
  // request. In `complete` and `failed` it consumes nothing.
  std::size_t feed(std::string_view bytes);

  State state() const { return state_; }
  // In `failed`.
  const ReadFault& fault() const { return fault_; }
  // In `body` and `complete`; the body may be unfinished in `body`.
  const Request& request() const { return request_; }
  // In `complete`: the request; the reader is idle again.
  Request take();

  // In `body`, before any of it has come: what the request's route allows. Fails if more was declared.
  void limit_body(std::size_t bytes);

  // Gives up: frees what is held and stays in `failed`.
  void discard();

  // In `body`, if the length was declared: bytes that are still to come. Else 0.
  std::size_t remaining() const;
  // Bytes held for the request that is being read.
  std::size_t held() const { return request_.head.size() + request_.body.size() + pending_.size(); }

 private:
  class Parser;

  std::size_t feed_head(std::string_view bytes);
  std::size_t feed_body(std::string_view bytes);
  void finish_head();
  void fail_with(ReadFault fault);

  const ReaderLimits& limits_;
  const std::size_t largest_body_;
  std::size_t body_limit_ = 0;  // of the current request
  State state_ = State::idle;
  bool skipped_line_ = false;
  std::unique_ptr<Parser> parser_;
  Request request_;
  std::string pending_;  // of a chunked body: a chunk header or trailers that aren't whole yet
  ReadFault fault_;
};

}  // namespace ganglion::http
