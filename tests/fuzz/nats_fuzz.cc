// Any bytes of a NATS server, cut into pieces of any size, are read without a crash and in the same way
// whatever the pieces; what a message's headers and its answers' subjects say is looked into as well. The
// first byte seeds the cuts.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "adapters/nats/acknowledgement.h"
#include "adapters/nats/handshake.h"
#include "adapters/nats/headers.h"
#include "adapters/nats/json.h"
#include "adapters/nats/protocol.h"

namespace {

using namespace ganglion::nats;

void require(bool holds) {
  if (!holds) std::abort();
}

void look_into(const Incoming& incoming) {
  (void)delivery_info(incoming.reply);
  (void)status_of(incoming.headers);
  (void)status_text(incoming.headers);
  (void)api_error(incoming.text);
  if (incoming.kind == Incoming::Kind::info) (void)check(server_info_of(incoming.text));
  const ganglion::BusMessage message = message_of(incoming.headers, incoming.text);
  require(message_of(headers_of(message), message.body) == message);
}

std::vector<std::string> read_all(std::string_view bytes, std::size_t piece) {
  Reader reader;
  std::vector<std::string> seen;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    reader.append(bytes.substr(0, piece));
    Incoming incoming;
    Reader::Found found;
    while ((found = reader.next(incoming)) == Reader::Found::something) {
      look_into(incoming);
      seen.push_back(std::to_string(static_cast<int>(incoming.kind)) + ' ' +
                     std::to_string(incoming.subscription) + ' ' + std::string(incoming.subject) + ' ' +
                     std::string(incoming.reply) + ' ' + std::string(incoming.headers) + ' ' +
                     std::string(incoming.text));
    }
    if (found == Reader::Found::nonsense) break;
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  require(read_all(bytes, bytes.size() + 1) == read_all(bytes, 1 + data[0] % 16));
  return 0;
}
