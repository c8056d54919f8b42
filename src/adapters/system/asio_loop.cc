#include "adapters/system/asio_loop.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "adapters/system/timer_heap.h"
#include "base/asio/asio.h"

namespace ganglion {
namespace {

using Steady = std::chrono::steady_clock;

// Then sockets get their turn.
constexpr int kMaxTimersPerTurn = 256;

Timestamp system_time() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return Timestamp(std::chrono::duration_cast<Duration>(since_epoch).count());
}

// The steady clock can't count further than this; a timer beyond it is armed again on the way.
constexpr Duration kMaxWait = std::chrono::hours(24 * 365);

}  // namespace

// Shared with the handlers that wait in Asio, which may outlive the loop.
class AsioLoop::Timers : public std::enable_shared_from_this<Timers> {
 public:
  explicit Timers(asio::io_context& context)
      : executor_(context.get_executor()),
        timer_(executor_),
        wall_start_(system_time()),
        steady_start_(Steady::now()) {}

  const LoopExecutor& executor() const { return executor_; }

  Timestamp now() const {
    return wall_start_ + std::chrono::duration_cast<Duration>(Steady::now() - steady_start_);
  }

  void not_before(Timestamp time) {
    const Timestamp current = now();
    if (current >= time) return;
    wall_start_ = wall_start_ + (time - current);
    armed_for_.reset();
    arm();
  }

  TimerId add(Timestamp when, TimerHeap::Callback callback) {
    const TimerId id = heap_.add(when, std::move(callback));
    arm();
    return id;
  }

  // The Asio timer stays armed: waking once for nothing is cheaper than arming it again at each cancel.
  void cancel(TimerId timer) { heap_.cancel(timer); }

  void close() {
    closed_ = true;
    timer_.cancel();
    heap_ = {};
  }

 private:
  void arm() {
    const std::optional<Timestamp> earliest = heap_.earliest();
    if (!earliest || closed_ || (armed_for_ && *armed_for_ <= *earliest)) return;
    armed_for_ = earliest;
    const Duration wait = std::min(*earliest - now(), kMaxWait);
    // `now` has been rounded down, so count from the start: from this moment on `now` is `earliest`, not
    // before.
    if (wait == kMaxWait)
      timer_.expires_after(kMaxWait);
    else
      timer_.expires_at(steady_start_ + std::max(*earliest - wall_start_, Duration(0)));
    timer_.async_wait(
        [self = weak_from_this(), generation = ++generation_](const boost::system::error_code&) {
          const auto timers = self.lock();
          if (timers && timers->generation_ == generation) timers->fire();
        });
  }

  void fire() {
    armed_for_.reset();
    const Timestamp time = now();
    for (int fired = 0; fired < kMaxTimersPerTurn && !closed_; ++fired) {
      std::optional<TimerHeap::Callback> callback = heap_.take_due(time);
      if (!callback) break;
      (*callback)();
    }
    arm();
  }

  LoopExecutor executor_;
  LoopTimer timer_;
  TimerHeap heap_;
  Timestamp wall_start_;
  Steady::time_point steady_start_;
  std::optional<Timestamp> armed_for_;
  std::uint64_t generation_ = 0;  // of the last wait; the handlers of earlier ones do nothing
  bool closed_ = false;
};

AsioLoop::AsioLoop(boost::asio::io_context& context) : timers_(std::make_shared<Timers>(context)) {}

AsioLoop::~AsioLoop() {
  timers_->close();
}

Timestamp AsioLoop::now() const {
  return timers_->now();
}

TimerId AsioLoop::at(Timestamp when, std::move_only_function<void()> callback) {
  return timers_->add(when, std::move(callback));
}

void AsioLoop::cancel(TimerId timer) {
  timers_->cancel(timer);
}

void AsioLoop::post(std::move_only_function<void()> callback) {
  asio::post(timers_->executor(), std::move(callback));
}

void AsioLoop::post_from_thread(std::move_only_function<void()> callback) {
  post(std::move(callback));
}

void AsioLoop::not_before(Timestamp time) {
  timers_->not_before(time);
}

}  // namespace ganglion
