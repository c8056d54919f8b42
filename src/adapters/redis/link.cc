#include "adapters/redis/link.h"

#include <algorithm>
#include <array>
#include <random>
#include <utility>

#include "base/asio/asio.h"

namespace ganglion::redis {
namespace {

constexpr std::chrono::milliseconds kFirstPause{20};
constexpr std::chrono::milliseconds kLongestPause{1'000};
constexpr std::chrono::milliseconds kTick{250};
constexpr std::chrono::seconds kTimeToBeReady{5};
// The server forgets a writer that is silent for longer (as in library/base.lua); ours is remembered for as
// long as it lives.
constexpr std::chrono::seconds kWriterLife{std::chrono::days(30)};
constexpr std::chrono::hours kRenewal{24};

std::string fresh_writer() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::random_device random;
  std::string id;
  for (int i = 0; i < 16; ++i) id += kDigits[random() % kDigits.size()];
  return id;
}

}  // namespace

struct Link::Timers {
  explicit Timers(asio::io_context& context) : pause(context.get_executor()), tick(context.get_executor()) {}

  LoopTimer pause;
  LoopTimer tick;
  std::shared_ptr<const char> alive = std::make_shared<const char>('\0');
};

Link::Link(asio::io_context& context, const Url& url, std::chrono::milliseconds silence)
    : context_(context),
      url_(url),
      silence_(silence),
      writer_(fresh_writer()),
      locator_(context, url),
      pause_(kFirstPause),
      timers_(std::make_unique<Timers>(context)) {}

Link::~Link() = default;

void Link::start(Events events) {
  events_ = std::move(events);
  look();
  tick();
}

void Link::send(std::string_view bytes, Connection::Answer answer) {
  connection_->send(bytes, std::move(answer));
}

void Link::hear(std::function<void(Reply)> heard) {
  hears_ = true;
  connection_->hear(std::move(heard));
}

void Link::say(std::string_view bytes) {
  connection_->say(bytes);
}

void Link::look() {
  locator_.find([this](std::expected<Address, std::string> address) {
    if (!address) return try_again(address.error());
    connect(*address);
  });
}

void Link::connect(const Address& address) {
  began_ = Steady::now();
  connection_ = std::make_unique<Connection>(context_);
  connection_->open(address, [this] { greet(); }, [this](const std::string& reason) { try_again(reason); });
}

void Link::greet() {
  greeting_ = std::make_unique<Greeting>(
      *connection_, url_, writer_, acknowledged_,
      [this](std::expected<Greeted, GreetingFailure> result) { greeted(std::move(result)); });
}

void Link::greeted(std::expected<Greeted, GreetingFailure> result) {
  if (!result) {
    const GreetingFailure failure = std::move(result.error());
    if (failure.reason.starts_with("MOVED ")) locator_.moved(failure.reason);
    try_again(failure.reason);
    return events_.failed(failure);
  }
  settings_ = result->settings;
  greeted_ = Steady::now();
  pause_ = kFirstPause;
  ready_ = true;
  problem_.clear();
  events_.ready(*result);
}

void Link::drop(const std::string& reason) {
  if (reason.starts_with("MOVED ")) locator_.moved(reason);
  try_again(reason);
}

// The greeting may be what calls this, so that it ends later: when the next one begins.
void Link::try_again(const std::string& problem) {
  connection_.reset();
  problem_ = problem;
  const bool was_ready = std::exchange(ready_, false);
  wait();
  if (was_ready) events_.lost();
}

void Link::wait() {
  timers_->pause.expires_after(pause_);
  pause_ = std::min(2 * pause_, kLongestPause);
  timers_->pause.async_wait(
      [this, alive = std::weak_ptr(timers_->alive)](const boost::system::error_code& cancelled) {
        if (!cancelled && !alive.expired()) look();
      });
}

void Link::tick() {
  timers_->tick.expires_after(kTick);
  timers_->tick.async_wait(
      [this, alive = std::weak_ptr(timers_->alive)](const boost::system::error_code& cancelled) {
        if (cancelled || alive.expired()) return;
        const bool looking = !ready_ && connection_;
        if (looking && Steady::now() - began_ > kTimeToBeReady) {
          try_again("the server doesn't greet in time");
        } else if (ready_ && connection_->silence() > silence_) {
          try_again("the server has been silent for " + std::to_string(silence_.count()) + " ms");
        } else if (ready_ && !hears_ && Steady::now() - greeted_ > kRenewal) {
          renew();
        }
        events_.tick();
        if (!alive.expired()) tick();
      });
}

// If the writer has been forgotten, the next write finds out.
void Link::renew() {
  greeted_ = Steady::now();
  send(command({"EXPIRE", url_.base_key() + ":writer:" + writer_, std::to_string(kWriterLife.count())}),
       [](const Reply&) {});
}

}  // namespace ganglion::redis
