#pragma once

// Every bound of the HTTP server, with its default and the range in which it may be set. `validate` is called
// once, by the server's constructor's caller; a value out of range is a configuration error, not something to
// clamp.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace ganglion::http {

// What one request may be. Beyond: 431, 414, 413 and 400.
struct ReaderLimits {
  std::size_t head = 64 * 1024;            // bytes of request line and headers; 1 KiB … 1 MiB
  std::size_t target = 8 * 1024;           // bytes of the request target; 64 … head
  std::size_t fields = 128;                // header lines; 8 … 1024
  std::size_t body = 8 * 1024 * 1024;      // bytes after de-chunking; 1 KiB … 256 MiB
  std::size_t chunk_overhead = 16 * 1024;  // bytes of one chunk's header, or of all trailers; 256 … 64 KiB
};

struct Options {
  // Where to listen: an IPv4 or IPv6 address, without a name lookup. Port 0 takes any free port.
  std::string address = "127.0.0.1";
  std::uint16_t port = 7420;

  ReaderLimits request;

  std::size_t max_connections = 10'000;          // 1 … 1,000,000; the next one is answered 503 and closed
  std::size_t max_buffered = 256 * 1024 * 1024;  // bytes of unfinished bodies, all connections; beyond: 503

  Duration header_timeout{10'000};  // from a request's first byte to the end of its headers; 100 ms … 10 min
  Duration body_timeout{60'000};    // from there to the body's end; 100 ms … 1 h
  Duration keep_alive_timeout{75'000};        // of a connection without a request; 100 ms … 1 h
  Duration write_timeout{30'000};             // without 16 KiB of progress in an answer; 100 ms … 1 h
  Duration heartbeat{15'000};                 // between comments on a silent event stream; 100 ms … 1 h
  std::size_t stream_high_water = 64 * 1024;  // an event stream with more unsent bytes isn't ready for more
  std::size_t stream_hard_limit = 4 * 1024 * 1024;  // unsent, of a producer that doesn't wait: cut

  // Bearer tokens that are let in; empty: everybody, which is allowed on loopback only.
  std::vector<std::string> tokens;
  // Host names, besides the loopback names and `address`, under which the server may be addressed. On
  // loopback they are the defence against DNS rebinding; beyond loopback an empty list allows any, because
  // there a token is required.
  std::vector<std::string> allowed_hosts;
};

// Error `invalid_option` names the option and its range; `token_required`: an address beyond loopback without
// a token.
Result<void> validate(const Options& options);

// 127.0.0.0/8 and ::1.
bool is_loopback(const std::string& address);

}  // namespace ganglion::http
