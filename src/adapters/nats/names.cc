#include "adapters/nats/names.h"

namespace ganglion::nats {
namespace {

// Neither may stand in a name.
constexpr char kDot = '=';
constexpr char kColon = '~';

}  // namespace

// A dot that would leave a word empty is written like in a stream's name.
std::string Names::subject(std::string_view kind, std::string_view name) const {
  std::string subject = prefix_ + '.' + std::string(kind) + '.';
  for (std::size_t at = 0; at < name.size(); ++at) {
    const bool leaves_a_word_empty = at + 1 == name.size() || subject.back() == '.';
    subject += name[at] == '.' && leaves_a_word_empty ? kDot : name[at];
  }
  return subject;
}

std::string Names::stream(std::string_view kind, std::string_view name) const {
  std::string stream = prefix_ + '+' + std::string(kind) + '+';
  for (const char letter : name) stream += letter == '.' ? kDot : letter == ':' ? kColon : letter;
  return stream;
}

std::string Names::exhausted_subject(std::string_view queue) const {
  return "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES." + queue_stream(queue) + ".*";
}

}  // namespace ganglion::nats
