#include "adapters/rabbitmq/link.h"

#include <algorithm>
#include <utility>

#include "base/asio/asio.h"

namespace ganglion::rabbitmq {
namespace {

constexpr std::chrono::milliseconds kFirstPause{20};
constexpr std::chrono::milliseconds kLongestPause{1'000};
constexpr std::chrono::milliseconds kTick{250};
constexpr std::chrono::seconds kTimeToOpen{5};

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
      pause_(kFirstPause),
      timers_(std::make_unique<Timers>(context)) {}

Link::~Link() = default;

void Link::start(Events events) {
  events_ = std::move(events);
  connect();
  tick();
}

void Link::connect() {
  began_ = Steady::now();
  const HostPort& host = url_.hosts[next_host_++ % url_.hosts.size()];
  connection_ = std::make_unique<Connection>(context_, url_);
  connection_->open(host, silence_,
                    {.opened = [this] { opened(); },
                     .ended = [this](Connection::Ended ended) { try_again(std::move(ended)); },
                     .blocked = [this](bool blocked) { events_.blocked(blocked); }});
}

void Link::opened() {
  pause_ = kFirstPause;
  ready_ = true;
  problem_ = {};
  events_.ready();
}

void Link::try_again(Connection::Ended problem) {
  connection_.reset();
  problem_ = std::move(problem);
  timers_->pause.expires_after(pause_);
  pause_ = std::min(2 * pause_, kLongestPause);
  timers_->pause.async_wait(
      [this, alive = std::weak_ptr(timers_->alive)](const boost::system::error_code& cancelled) {
        if (!cancelled && !alive.expired()) connect();
      });
  if (std::exchange(ready_, false)) events_.lost();
}

void Link::tick() {
  timers_->tick.expires_after(kTick);
  timers_->tick.async_wait(
      [this, alive = std::weak_ptr(timers_->alive)](const boost::system::error_code& cancelled) {
        if (cancelled || alive.expired()) return;
        if (connection_ && !ready_ && Steady::now() - began_ > kTimeToOpen)
          try_again({.reason = "the broker doesn't answer in time"});
        else if (ready_ && connection_->silence() > silence_)
          try_again({.reason = "the broker has been silent for " + std::to_string(silence_.count()) + " ms"});
        else if (ready_)
          connection_->tick();
        events_.tick();
        if (!alive.expired()) tick();
      });
}

}  // namespace ganglion::rabbitmq
