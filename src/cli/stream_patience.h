#pragma once

// How long somebody who follows a stream waits before trying again when it breaks off, and when they give up.

#include <chrono>

#include "base/time.h"

namespace ganglion::cli {

class StreamPatience {
 public:
  // The connection that has just ended had brought something: it was alive until now.
  void heard();
  // Nobody has answered for a minute.
  bool exhausted() const;
  // Whether this loss is the first since something was heard: worth a word to the user.
  bool first_loss();
  // Before the next try: 200 ms, then twice as long each time, at most 3 s.
  Duration pause();

 private:
  static constexpr Duration kFirstPause{200};
  static constexpr Duration kLongestPause{3'000};
  static constexpr std::chrono::seconds kLimit{60};

  std::chrono::steady_clock::time_point last_heard_ = std::chrono::steady_clock::now();
  Duration next_pause_ = kFirstPause;
  bool told_ = false;
};

}  // namespace ganglion::cli
