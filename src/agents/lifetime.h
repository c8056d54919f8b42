#pragma once

// A callback given to the loop may come due after its owner is gone. What `guard` wraps then does nothing.
// Everything runs on one thread, so the owner can't vanish while a guarded callback runs, unless the callback
// itself destroys it.
//
// The last member of its owner, so that it ends first.

#include <memory>
#include <utility>

namespace ganglion::agents {

class Lifetime {
 public:
  Lifetime() = default;
  Lifetime(const Lifetime&) = delete;
  Lifetime& operator=(const Lifetime&) = delete;

  template <typename Callback>
  auto guard(Callback callback) const {
    return [alive = std::weak_ptr<const char>(alive_),
            callback = std::move(callback)](auto&&... arguments) mutable {
      if (!alive.expired()) callback(std::forward<decltype(arguments)>(arguments)...);
    };
  }

 private:
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
};

}  // namespace ganglion::agents
