#include "ingress/http/options.h"

#include <arpa/inet.h>

namespace ganglion::http {
namespace {

constexpr std::size_t kKiB = 1024;
constexpr std::size_t kMiB = 1024 * kKiB;

struct SizeBound {
  const char* name;
  std::size_t value, low, high;
};
struct TimeBound {
  const char* name;
  Duration value, low, high;
};

bool is_address(const std::string& text) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, text.c_str(), bytes) == 1 || inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

}  // namespace

bool is_loopback(const std::string& address) {
  unsigned char bytes[16];
  if (inet_pton(AF_INET, address.c_str(), bytes) == 1) return bytes[0] == 127;
  return inet_pton(AF_INET6, address.c_str(), bytes) == 1 && address == "::1";
}

Result<void> validate(const Options& options) {
  const SizeBound sizes[] = {
      {"request.head", options.request.head, kKiB, kMiB},
      {"request.target", options.request.target, 64, options.request.head},
      {"request.fields", options.request.fields, 8, 1024},
      {"request.body", options.request.body, kKiB, 256 * kMiB},
      {"request.chunk_overhead", options.request.chunk_overhead, 256, 64 * kKiB},
      {"max_connections", options.max_connections, 1, 1'000'000},
      {"max_buffered", options.max_buffered, options.request.body, std::size_t{1} << 40},
      {"stream_high_water", options.stream_high_water, kKiB, options.stream_hard_limit},
      {"stream_hard_limit", options.stream_hard_limit, kKiB, kKiB * kMiB},
  };
  for (const SizeBound& bound : sizes) {
    if (bound.value >= bound.low && bound.value <= bound.high) continue;
    return fail("invalid_option", std::string(bound.name) + " is " + std::to_string(bound.value) +
                                      "; it must be from " + std::to_string(bound.low) + " to " +
                                      std::to_string(bound.high));
  }
  constexpr Duration kShortest{100};
  constexpr Duration kHour{3'600'000};
  const TimeBound times[] = {
      {"header_timeout", options.header_timeout, kShortest, Duration{600'000}},
      {"body_timeout", options.body_timeout, kShortest, kHour},
      {"keep_alive_timeout", options.keep_alive_timeout, kShortest, kHour},
      {"write_timeout", options.write_timeout, kShortest, kHour},
      {"heartbeat", options.heartbeat, kShortest, kHour},
  };
  for (const TimeBound& bound : times) {
    if (bound.value >= bound.low && bound.value <= bound.high) continue;
    return fail("invalid_option", std::string(bound.name) + " is " + std::to_string(bound.value.count()) +
                                      " ms; it must be from " + format_duration(bound.low) + " to " +
                                      format_duration(bound.high));
  }
  if (!is_address(options.address)) {
    return fail("invalid_option",
                "address is \"" + options.address + "\"; it must be an IPv4 or IPv6 address");
  }
  for (const std::string& token : options.tokens) {
    if (token.empty()) return fail("invalid_option", "a bearer token is empty");
  }
  if (options.tokens.empty() && !is_loopback(options.address)) {
    return fail("token_required",
                "listening on " + options.address +
                    " needs a bearer token: without one, everybody on the network could start runs");
  }
  return {};
}

}  // namespace ganglion::http
