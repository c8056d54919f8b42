#include "sim/runner/seed_pool.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "base/assert.h"
#include "sim/runner/seed_json.h"

namespace ganglion::sim {
namespace {

void write_all(int to, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(to, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) ::_exit(1);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

SeedResult crashed(std::uint64_t seed, int status) {
  SeedResult result{.seed = seed};
  result.violations.push_back(
      WIFSIGNALED(status) ? std::string("the simulation died of ") + strsignal(WTERMSIG(status))
                          : "the simulation ended with exit code " + std::to_string(WEXITSTATUS(status)));
  return result;
}

}  // namespace

// A process that runs seeds. It says `seed N` when it begins one, and then the result as a line of JSON.
class SeedPool::Child {
 public:
  // Runs `seeds` of `range`, beginning with `offset`, in steps of `stride`.
  Child(const RunSeed& run, SeedRange range, std::uint64_t offset, std::uint64_t stride,
        const OnlyEvents& only) {
    int ends[2];
    GANGLION_ASSERT(::pipe2(ends, O_CLOEXEC) == 0);
    std::fflush(nullptr);
    pid_ = ::fork();
    GANGLION_ASSERT(pid_ >= 0);
    if (pid_ == 0) {
      ::close(ends[0]);
      for (std::uint64_t i = offset; i < range.count; i += stride) {
        const std::uint64_t seed = range.first + i;
        write_all(ends[1], "seed " + std::to_string(seed) + "\n");
        SeedResult result = run(seed, only, {});
        if (result.violations.empty() && !only) result.events.clear();
        write_all(ends[1], seed_json(result) + "\n");
      }
      // Nothing of the parent's is flushed or destroyed twice.
      ::_exit(0);
    }
    ::close(ends[1]);
    output_ = ends[0];
  }
  ~Child() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      reap();
    }
    ::close(output_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int descriptor() const { return output_; }
  std::optional<std::uint64_t> current() const { return current_; }

  // Takes what has been written; false at its end.
  bool read(const std::function<void(SeedResult)>& ended) {
    char piece[64 * 1024];
    const ssize_t size = ::read(output_, piece, sizeof piece);
    if (size < 0 && errno == EINTR) return true;
    if (size <= 0) return false;
    buffer_.append(piece, static_cast<std::size_t>(size));
    for (std::size_t end = buffer_.find('\n'); end != std::string::npos; end = buffer_.find('\n')) {
      const std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      if (line.starts_with("seed ")) {
        current_ = std::stoull(line.substr(5));
      } else if (auto result = read_seed_json(line)) {
        current_.reset();
        ended(*std::move(result));
      }
    }
    return true;
  }

  int reap() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
  int output_ = -1;
  std::string buffer_;
  std::optional<std::uint64_t> current_;
};

void SeedPool::run(const SeedRange& seeds, const Ended& ended) {
  struct Lane {
    std::unique_ptr<Child> child;
    std::uint64_t offset;
  };
  std::vector<Lane> lanes;
  const std::uint64_t jobs = std::min<std::uint64_t>(options_.jobs, seeds.count);
  for (std::uint64_t i = 0; i < jobs; ++i) {
    lanes.push_back({std::make_unique<Child>(run_, seeds, i, jobs, std::nullopt), i});
  }
  std::size_t failures = 0;
  const auto count = [&](SeedResult result) {
    if (!result.violations.empty()) ++failures;
    ended(std::move(result));
  };
  while (!lanes.empty() && failures < options_.stop_after_failures) {
    std::vector<pollfd> waiting;
    for (const Lane& lane : lanes) waiting.push_back({lane.child->descriptor(), POLLIN, 0});
    if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) break;
    for (std::size_t i = waiting.size(); i-- > 0;) {
      if (waiting[i].revents == 0 || lanes[i].child->read(count)) continue;
      const auto dead = lanes[i].child->current();
      const int status = lanes[i].child->reap();
      lanes[i].child.reset();
      if (!dead) {
        lanes.erase(lanes.begin() + static_cast<std::ptrdiff_t>(i));
        continue;
      }
      count(crashed(*dead, status));
      lanes[i].offset = *dead - seeds.first + jobs;
      lanes[i].child = std::make_unique<Child>(run_, seeds, lanes[i].offset, jobs, std::nullopt);
    }
  }
}

SeedResult SeedPool::run_one(std::uint64_t seed, const OnlyEvents& only) {
  Child child(run_, {.first = seed, .count = 1}, 0, 1, only);
  std::optional<SeedResult> result;
  while (child.read([&](SeedResult ended) { result = std::move(ended); })) {
  }
  const int status = child.reap();
  return result ? *std::move(result) : crashed(seed, status);
}

}  // namespace ganglion::sim
