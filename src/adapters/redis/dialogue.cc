#include "adapters/redis/dialogue.h"

#include <utility>

#include "base/asio/asio.h"

namespace ganglion::redis {
namespace {

constexpr auto kPatience = std::chrono::seconds(2);

}  // namespace

struct Dialogue::Timer {
  explicit Timer(asio::io_context& context) : timer(context.get_executor(), kPatience) {}

  LoopTimer timer;
  std::shared_ptr<const char> alive = std::make_shared<const char>('\0');
};

Dialogue::Dialogue(asio::io_context& context, const Address& address, std::vector<std::string> commands,
                   Done done)
    : commands_(std::move(commands)),
      done_(std::move(done)),
      connection_(context),
      timer_(std::make_unique<Timer>(context)) {
  timer_->timer.async_wait([this, address = address.text(), alive = std::weak_ptr(timer_->alive)](
                               const boost::system::error_code& cancelled) {
    if (!cancelled && !alive.expired()) finish(std::unexpected(address + ": no answer in time"));
  });
  connection_.open(
      address, [this] { say(); }, [this](std::string reason) { finish(std::unexpected(std::move(reason))); });
}

Dialogue::~Dialogue() = default;

void Dialogue::say() {
  for (const std::string& command : commands_) {
    connection_.send(command, [this](Reply reply) {
      replies_.push_back(std::move(reply));
      if (replies_.size() == commands_.size()) finish(std::move(replies_));
    });
  }
}

void Dialogue::finish(std::expected<std::vector<Reply>, std::string> result) {
  if (Done done = std::exchange(done_, nullptr)) done(std::move(result));
}

}  // namespace ganglion::redis
