// Any bytes in the ledger's topic: an entry or a text of the whole ledger that can be read is written again
// as it was read, and what any entries say leaves a ledger that can be written and read.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "adapters/kafka/ledger.h"
#include "base/url_parts.h"

namespace {

using namespace ganglion::kafka;

void require(bool holds) {
  if (!holds) std::abort();
}

void same_again(const Ledger& ledger) {
  const auto read = Ledger::read(ledger.text(7));
  require(read && read->first == 7 && read->second == ledger);
}

}  // namespace

// Records stand between zero bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Ledger ledger;
  for (Offset offset = 0; !bytes.empty(); ++offset) {
    const std::string_view record = ganglion::take_until(bytes, '\0');
    if (const auto entry = read_entry(record)) {
      require(read_entry(text_of(*entry)) == entry);
      ledger.apply(offset, *entry);
      same_again(ledger);
    }
    if (const auto whole = Ledger::read(record)) same_again(whole->second);
  }
  return 0;
}
