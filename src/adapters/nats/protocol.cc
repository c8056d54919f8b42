#include "adapters/nats/protocol.h"

#include <algorithm>
#include <array>

#include "base/url_parts.h"

namespace ganglion::nats {
namespace {

constexpr std::string_view kEndOfLine = "\r\n";
// Beyond it the memory of a large message is given back.
constexpr std::size_t kUsualCapacity = 1 << 20;

void append_word(std::string& bytes, std::string_view word) {
  bytes += word;
  bytes += ' ';
}

std::string_view take_word(std::string_view& text) {
  constexpr std::string_view kSpaces = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(kSpaces), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(kSpaces));
  text.remove_prefix(word.size());
  return word;
}

}  // namespace

void append_publish(std::string& bytes, std::string_view subject, std::string_view reply,
                    std::string_view headers, std::string_view body) {
  append_word(bytes, headers.empty() ? "PUB" : "HPUB");
  append_word(bytes, subject);
  if (!reply.empty()) append_word(bytes, reply);
  if (!headers.empty()) append_word(bytes, std::to_string(headers.size()));
  bytes += std::to_string(headers.size() + body.size());
  bytes += kEndOfLine;
  bytes += headers;
  bytes += body;
  bytes += kEndOfLine;
}

void append_subscribe(std::string& bytes, std::string_view subject, std::string_view group,
                      SubscriptionId subscription) {
  append_word(bytes, "SUB");
  append_word(bytes, subject);
  if (!group.empty()) append_word(bytes, group);
  bytes += std::to_string(subscription);
  bytes += kEndOfLine;
}

void append_unsubscribe(std::string& bytes, SubscriptionId subscription) {
  append_word(bytes, "UNSUB");
  bytes += std::to_string(subscription);
  bytes += kEndOfLine;
}

void append_connect(std::string& bytes, std::string_view json) {
  append_word(bytes, "CONNECT");
  bytes += json;
  bytes += kEndOfLine;
}

void Reader::append(std::string_view bytes) {
  bytes_.erase(0, taken_);
  taken_ = 0;
  if (bytes_.empty() && bytes_.capacity() > kUsualCapacity) bytes_ = {};
  bytes_ += bytes;
}

Reader::Found Reader::next(Incoming& incoming) {
  incoming = {};
  const std::string_view rest = std::string_view(bytes_).substr(taken_);
  const std::size_t end = rest.find(kEndOfLine);
  if (end == std::string_view::npos) return rest.size() > kMaxLine ? Found::nonsense : Found::nothing_yet;
  std::string_view line = rest.substr(0, end);
  const std::string_view after = rest.substr(end + kEndOfLine.size());
  const std::string_view command = take_word(line);
  if (command == "MSG" || command == "HMSG") return take_message(after, line, command == "HMSG", incoming);
  if (command == "PING")
    incoming.kind = Incoming::Kind::ping;
  else if (command == "PONG")
    incoming.kind = Incoming::Kind::pong;
  else if (command == "INFO")
    incoming.kind = Incoming::Kind::info;
  else if (command == "-ERR")
    incoming.kind = Incoming::Kind::error;
  else if (command != "+OK")
    return Found::nonsense;
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  incoming.text = line;
  taken_ = bytes_.size() - after.size();
  return Found::something;
}

// SUBJECT SUBSCRIPTION [REPLY] [BYTES OF HEADERS] BYTES
Reader::Found Reader::take_message(std::string_view rest, std::string_view arguments, bool has_headers,
                                   Incoming& incoming) {
  std::array<std::string_view, 5> words;
  std::size_t count = 0;
  while (count < words.size() && !(words[count] = take_word(arguments)).empty()) ++count;
  const std::size_t least = has_headers ? 4 : 3;
  if (count < least || count > least + 1 || !take_word(arguments).empty()) return Found::nonsense;
  const auto subscription = parse_number<SubscriptionId>(words[1]);
  const auto size = parse_number<std::size_t>(words[count - 1]);
  const auto headers = has_headers ? parse_number<std::size_t>(words[count - 2]) : std::size_t{0};
  if (!subscription || !size || !headers || *headers > *size || *size > kMaxMessage) return Found::nonsense;
  if (rest.size() < *size + kEndOfLine.size()) return Found::nothing_yet;
  if (rest.substr(*size, kEndOfLine.size()) != kEndOfLine) return Found::nonsense;
  incoming = {.kind = Incoming::Kind::message,
              .subscription = *subscription,
              .subject = words[0],
              .reply = count > least ? words[2] : std::string_view(),
              .headers = rest.substr(0, *headers),
              .text = rest.substr(*headers, *size - *headers)};
  taken_ = bytes_.size() - rest.size() + *size + kEndOfLine.size();
  return Found::something;
}

}  // namespace ganglion::nats
