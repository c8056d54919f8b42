#pragma once

// Calls that wait for Kafka, each for so long at most: then it is answered as unavailable, and what comes
// later is not for it any more.

#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <utility>

#include "base/result.h"
#include "ports/bus.h"

namespace ganglion::kafka {

class Patience {
 public:
  explicit Patience(std::chrono::milliseconds time) : time_(time) {}

  // What to call instead of `done`, once or not at all.
  template <typename T>
  Bus::Completion<Result<T>> limit(Bus::Completion<Result<T>> done) {
    auto waits = std::make_shared<Waits<T>>(std::move(done));
    waits->until = Steady::now() + time_;
    waiting_.push_back(waits);
    return [waits](Result<T> result) {
      if (auto answer = std::exchange(waits->done, nullptr)) answer(std::move(result));
    };
  }

  // All wait for the same time, so the first is the one that has waited longest. Whoever is answered may
  // destroy this.
  void tick(const std::string& problem) {
    const std::weak_ptr alive = alive_;
    while (!alive.expired() && !waiting_.empty() &&
           (waiting_.front()->is_answered() || waiting_.front()->until <= Steady::now())) {
      const std::shared_ptr<Waiting> first = waiting_.front();
      waiting_.pop_front();
      first->give_up(problem);
    }
  }

 private:
  using Steady = std::chrono::steady_clock;
  struct Waiting {
    virtual ~Waiting() = default;
    virtual bool is_answered() const = 0;
    virtual void give_up(const std::string& problem) = 0;
    Steady::time_point until = {};
  };
  template <typename T>
  struct Waits final : Waiting {
    explicit Waits(Bus::Completion<Result<T>> completion) : done(std::move(completion)) {}
    bool is_answered() const override { return !done; }
    void give_up(const std::string& problem) override {
      if (auto answer = std::exchange(done, nullptr))
        answer(fail("unavailable", "Kafka is not available: " + problem));
    }
    Bus::Completion<Result<T>> done;
  };

  const std::chrono::milliseconds time_;
  std::list<std::shared_ptr<Waiting>> waiting_;
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
};

}  // namespace ganglion::kafka
