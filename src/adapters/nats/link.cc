#include "adapters/nats/link.h"

#include <algorithm>
#include <utility>

#include "base/asio/asio.h"

namespace ganglion::nats {
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

std::string Link::problem() const {
  if (!ready_) return ended_.reason;
  const std::string& complaint = connection_->complaint();
  return complaint.empty() ? "it doesn't answer in time" : complaint;
}

void Link::connect() {
  began_ = Steady::now();
  connection_ = std::make_unique<Connection>(context_, url_);
  connection_->open({.opened = [this] { opened(); },
                     .ended = [this](Connection::Ended ended) { try_again(std::move(ended)); },
                     .stray = [this](const Incoming& incoming) { events_.stray(incoming); }});
}

void Link::opened() {
  pause_ = kFirstPause;
  ready_ = true;
  pinging_ = false;
  ended_ = {};
  info_ = connection_->info();
  events_.ready();
}

void Link::try_again(Connection::Ended ended) {
  connection_.reset();
  ended_ = std::move(ended);
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
          try_again({.reason = url_.host.text() + ": it doesn't answer in time"});
        else if (ready_)
          stay_alive();
        events_.tick();
        if (!alive.expired()) tick();
      });
}

// A server that has said nothing for a while is asked for a sign of life.
void Link::stay_alive() {
  const std::chrono::milliseconds silent = connection_->silence();
  if (silent > silence_)
    return try_again({.reason = url_.host.text() + ": it has been silent for " +
                                std::to_string(silence_.count()) + " ms"});
  if (silent < silence_ / 3 || std::exchange(pinging_, true)) return;
  connection_->round_trip([this] { pinging_ = false; });
}

}  // namespace ganglion::nats
