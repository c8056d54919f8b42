#pragma once

// The clock port over one Asio io_context, which its owner runs on one thread. All timers share one Asio
// timer, armed for the earliest of them. Wall time is read once, at the start, and advances by monotonic time
// from there: setting the system's clock while the process lives moves nothing. Everything here belongs to
// the loop's thread but `post_from_thread`.

#include <functional>
#include <memory>

#include "ports/clock.h"

namespace boost::asio {
class io_context;
}

namespace ganglion {

class AsioLoop final : public Clock {
 public:
  // `context` must outlive the loop and must not be made for unsafe (unlocked) use. Timers that have not
  // fired when the loop is destroyed never do.
  explicit AsioLoop(boost::asio::io_context& context);
  ~AsioLoop() override;
  AsioLoop(const AsioLoop&) = delete;
  AsioLoop& operator=(const AsioLoop&) = delete;

  Timestamp now() const override;
  TimerId at(Timestamp when, std::move_only_function<void()> callback) override;
  void cancel(TimerId timer) override;
  void post(std::move_only_function<void()> callback) override;

  // Runs `callback` on the loop's thread. Any thread may call this.
  void post_from_thread(std::move_only_function<void()> callback);

  // From now on time is at least `time`: a clock set back between two lives of a store never lets time run
  // backwards.
  void not_before(Timestamp time);

 private:
  class Timers;
  std::shared_ptr<Timers> timers_;
};

}  // namespace ganglion
