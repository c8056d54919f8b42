#include "adapters/redis/locator.h"

#include <charconv>
#include <utility>

#include "adapters/redis/dialogue.h"

namespace ganglion::redis {
namespace {

std::optional<Address> address_of(std::string_view host, std::string_view port) {
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (host.empty() || error != std::errc() || end != port.data() + port.size()) return std::nullopt;
  return Address{std::string(host), number};
}

// [host, port]
std::expected<Address, std::string> master_in(const Reply& answer, const std::string& name) {
  if (answer.is_error()) return std::unexpected(answer.text);
  if (answer.elements.size() != 2) return std::unexpected("it knows no master \"" + name + "\"");
  auto master = address_of(answer.elements[0].text, answer.elements[1].text);
  if (!master) return std::unexpected("it names no address for \"" + name + "\"");
  return std::move(*master);
}

// [[first slot, last slot, [host, port, id, …], replicas …], …]
std::expected<Address, std::string> node_in(const Reply& slots, std::int64_t slot, const Address& asked) {
  for (const Reply& range : slots.elements) {
    if (range.elements.size() < 3 || range.elements[2].elements.size() < 2) continue;
    if (slot < range.elements[0].integer || slot > range.elements[1].integer) continue;
    const std::vector<Reply>& master = range.elements[2].elements;
    // A node that doesn't know its own address means the one it was asked at.
    return Address{master[0].text.empty() ? asked.host : master[0].text,
                   static_cast<std::uint16_t>(master[1].integer)};
  }
  return std::unexpected("no node of the cluster has slot " + std::to_string(slot));
}

}  // namespace

Locator::Locator(boost::asio::io_context& context, const Url& url) : context_(context), url_(url) {}

Locator::~Locator() = default;

void Locator::find(Done done) {
  dialogue_.reset();
  done_ = std::move(done);
  problems_.clear();
  if (url_.topology == Topology::single) return finish(url_.addresses.front());
  if (known_) return finish(*std::exchange(known_, std::nullopt));
  // Another one first each time: one that is cut off may go on naming a server of the past.
  first_ = (first_ + 1) % url_.addresses.size();
  ask(0);
}

// MOVED SLOT HOST:PORT
void Locator::moved(std::string_view answer) {
  const std::size_t host = answer.rfind(' ') + 1;
  const std::size_t colon = answer.rfind(':');
  if (colon == std::string_view::npos || host == 0 || colon <= host) return;
  known_ = address_of(answer.substr(host, colon - host), answer.substr(colon + 1));
}

void Locator::ask(std::size_t number) {
  if (number == url_.addresses.size()) return finish(std::unexpected(problems_));
  const Address& address = url_.addresses[(first_ + number) % url_.addresses.size()];
  dialogue_ = std::make_unique<Dialogue>(
      context_, address, questions(),
      [this, number, &address](std::expected<std::vector<Reply>, std::string> answers) {
        std::expected<Address, std::string> found =
            answers ? read(address, *answers) : std::unexpected(std::move(answers.error()));
        if (found) return finish(std::move(found));
        problems_ += (problems_.empty() ? "" : "; ") + found.error();
        ask(number + 1);
      });
}

std::vector<std::string> Locator::questions() const {
  if (url_.topology == Topology::sentinel)
    return {command({"SENTINEL", "get-master-addr-by-name", url_.master})};
  std::vector<std::string> questions;
  if (url_.password) questions.push_back(command({"AUTH", url_.user.value_or("default"), *url_.password}));
  questions.push_back(command({"CLUSTER", "KEYSLOT", url_.base_key()}));
  questions.push_back(command({"CLUSTER", "SLOTS"}));
  return questions;
}

std::expected<Address, std::string> Locator::read(const Address& asked,
                                                  const std::vector<Reply>& answers) const {
  for (const Reply& answer : answers) {
    if (answer.is_error()) return std::unexpected(asked.text() + ": " + answer.text);
  }
  auto found = url_.topology == Topology::sentinel
                   ? master_in(answers.back(), url_.master)
                   : node_in(answers.back(), answers[answers.size() - 2].integer, asked);
  if (!found) return std::unexpected(asked.text() + ": " + found.error());
  return found;
}

void Locator::finish(std::expected<Address, std::string> result) {
  if (Done done = std::exchange(done_, nullptr)) done(std::move(result));
}

}  // namespace ganglion::redis
