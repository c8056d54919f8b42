#pragma once

// One write that waits for the store's thread: what it does to the tables and who is told. The thread applies
// it within a group, and when the group is durable, or has failed, takes the delivery.

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "adapters/sqlite/tables.h"
#include "ports/store.h"

namespace ganglion::sqlite {

// Runs on the event loop.
using Delivery = std::move_only_function<void()>;

class Write {
 public:
  // `bytes` is roughly what it holds in memory.
  explicit Write(std::size_t bytes) : bytes_(bytes) {}
  virtual ~Write() = default;
  Write(const Write&) = delete;
  Write& operator=(const Write&) = delete;

  std::size_t bytes() const { return bytes_; }

  // Inside a transaction; after an error that must be rolled back. Does nothing if the write is refused.
  virtual DatabaseResult<void> apply(Tables& tables) = 0;
  // The answer is that nothing was written, and why; drops what the write holds. Also after `apply`.
  virtual void refuse(const std::string& reason) = 0;
  // Once, after `apply` or `refuse`.
  virtual Delivery take_delivery() = 0;

 protected:
  std::size_t bytes_;
};

// How each kind of answer says that nothing was written.
template <typename Answer>
Answer unavailable(const std::string& reason) {
  if constexpr (std::is_same_v<Answer, CommitOutcome>)
    return StoreUnavailable{reason};
  else
    return std::unexpected(Error{"unavailable", reason});
}

// `change(Tables&)` gives a DatabaseResult<Answer>.
template <typename Answer, typename Change>
class WriteOf final : public Write {
 public:
  WriteOf(std::size_t bytes, Change change, ganglion::Store::Completion<Answer> done)
      : Write(sizeof(WriteOf) + bytes), change_(std::move(change)), done_(std::move(done)) {}

  DatabaseResult<void> apply(Tables& tables) override {
    if (answer_) return {};
    DatabaseResult<Answer> answer = (*change_)(tables);
    if (!answer) return std::unexpected(std::move(answer.error()));
    answer_ = std::move(*answer);
    return {};
  }

  void refuse(const std::string& reason) override {
    answer_ = unavailable<Answer>(reason);
    change_.reset();
    bytes_ = 0;
  }

  Delivery take_delivery() override {
    return [done = std::move(done_), answer = std::move(*answer_)]() mutable { done(std::move(answer)); };
  }

 private:
  std::optional<Change> change_;
  ganglion::Store::Completion<Answer> done_;
  std::optional<Answer> answer_;
};

}  // namespace ganglion::sqlite
