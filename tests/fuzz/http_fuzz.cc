// Any bytes, cut into pieces of any size, are read without a crash, within the limits, and in the same way
// whatever the pieces: the first byte seeds the cuts.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "ingress/http/request_reader.h"
#include "ingress/http/target.h"

namespace {

using ganglion::http::ReaderLimits;
using ganglion::http::Request;
using ganglion::http::RequestReader;
using State = RequestReader::State;

// A chunk's header that comes in one piece isn't measured, so that limit is set out of reach here.
constexpr ReaderLimits kLimits{
    .head = 2048, .target = 256, .fields = 16, .body = 4096, .chunk_overhead = 64 * 1024};

void require(bool holds) {
  if (!holds) std::abort();
}

// What a whole connection's bytes come to: each request's target and body, and whether it ended in a fault.
std::vector<std::string> read_all(std::string_view bytes, std::size_t piece) {
  RequestReader reader(kLimits);
  std::vector<std::string> seen;
  while (!bytes.empty() && reader.state() != State::failed) {
    const std::size_t used = reader.feed(bytes.substr(0, piece));
    bytes.remove_prefix(used);
    require(used > 0 || reader.state() == State::failed);
    require(reader.held() <= kLimits.head + kLimits.body + bytes.size() + used);
    if (reader.state() != State::complete) continue;
    const Request request = reader.take();
    require(request.body.size() <= kLimits.body);
    for (const auto& field : request.fields)
      require(field.value_at + field.value_size <= request.head.size());
    (void)ganglion::http::parse_target(request.target());
    (void)request.header("host");
    seen.push_back(std::string(request.target()) + " " + request.body);
  }
  seen.push_back(reader.state() == State::failed ? "failed" : "open");
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = read_all(bytes, bytes.size() + 1);
  const auto pieces = read_all(bytes, 1 + data[0] % 16);
  // The same requests come out. Only a fault at the very end may be seen by one of the two before the other.
  require(whole.size() == pieces.size());
  for (std::size_t i = 0; i + 1 < whole.size(); ++i) require(whole[i] == pieces[i]);
  return 0;
}
