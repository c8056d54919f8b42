#include "store_sizes.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/asio/asio.h"
#include "base/sha256.h"

namespace ganglion::bench {
namespace {

using Steady = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr std::size_t kMessageBytes = 200;

// Different words in every message, about as long as in English.
std::string message(std::uint64_t step) {
  std::string text = R"({"role":"user","content":")";
  for (std::uint64_t state = step + 1; text.size() < kMessageBytes - 2;) {
    state = state * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
    for (std::uint64_t letters = state >> 20; letters > 1'000'000 && text.size() < kMessageBytes - 2;
         letters /= 26)
      text += static_cast<char>('a' + letters % 26);
    if (text.size() < kMessageBytes - 2) text += ' ';
  }
  return text + "\"}";
}

class Conversation {
 public:
  std::uint64_t steps() const { return steps_; }
  std::uintmax_t data_bytes() const { return data_bytes_; }

  // The step's input, and its output with one message more.
  std::vector<Commit> next_step(Timestamp now) {
    ++steps_;
    std::vector<Commit> commits;
    commits.push_back(commit(now, "task_scheduled", R"({"input":[)" + messages_ + "]}"));
    if (!messages_.empty()) messages_ += ',';
    messages_ += message(steps_);
    commits.push_back(
        commit(now, "task_completed", R"({"output":[)" + messages_ + R"(],"usage":{"tokens":7}})"));
    return commits;
  }

 private:
  Commit commit(Timestamp now, std::string type, std::string data) {
    data_bytes_ += data.size();
    Commit commit{
        .run = run_, .expected_version = version_, .events = {}, .create = {}, .status = {}, .claim = {}};
    if (version_ == 0) {
      commit.create = RunRecord{.id = run_,
                                .workflow = "chat",
                                .definition = std::string(64, 'd'),
                                .status = "running",
                                .session_id = std::nullopt,
                                .labels = {},
                                .created_at = now,
                                .ended_at = std::nullopt};
    }
    commit.events.push_back({.seq = ++version_,
                             .at = now,
                             .type = std::move(type),
                             .step = "answer",
                             .item = std::nullopt,
                             .attempt = 1,
                             .data = std::move(data)});
    return commit;
  }

  const RunId run_ = RunId::make(Timestamp(1'700'000'000'000), 0, 1);
  std::uint64_t version_ = 0;
  std::uint64_t steps_ = 0;
  std::string messages_;
  std::uintmax_t data_bytes_ = 0;
};

// Turns the loop until `done`.
void run_until(asio::io_context& context, const bool& done) {
  const auto guard = asio::make_work_guard(context);
  context.restart();
  while (!done) context.run_one();
}

void commit_and_wait(Store& store, asio::io_context& context, Commit commit) {
  bool done = false;
  store.commit(std::move(commit), [&done](CommitOutcome outcome) {
    if (!std::holds_alternative<Committed>(outcome)) std::exit(1);
    done = true;
  });
  run_until(context, done);
}

// Runs the conversation up to `steps` and gives the file's size once its log is in it.
std::uintmax_t grow(Conversation& conversation, std::uint64_t steps, const std::filesystem::path& folder) {
  asio::io_context context{1};
  AsioLoop loop(context);
  auto store = open_store(folder, loop);
  while (conversation.steps() < steps) {
    for (Commit& commit : conversation.next_step(loop.now()))
      commit_and_wait(*store, context, std::move(commit));
  }
  store.reset();
  return std::filesystem::file_size(folder / "bench.db");
}

}  // namespace

std::unique_ptr<sqlite::Store> open_store(const std::filesystem::path& folder, AsioLoop& loop) {
  auto store = sqlite::Store::open(
      {.path = folder / "bench.db",
       .post_from_thread = [&](std::move_only_function<void()> f) { loop.post_from_thread(std::move(f)); },
       .fatal = [](const std::string&) { std::abort(); },
       .vfs = {}});
  if (store) return std::move(*store);
  std::fprintf(stderr, "%s\n", store.error().message.c_str());
  std::exit(1);
}

void measure_conversation(const std::filesystem::path& folder) {
  constexpr std::uint64_t kLastSteps = 50;
  Conversation conversation;
  const std::uintmax_t empty = grow(conversation, 0, folder);
  std::printf("a message of %zu bytes a step; each step's input and output hold all so far, a commit each\n",
              kMessageBytes);
  std::printf("%6s %12s %12s %18s %18s\n", "steps", "file B/step", "data B/step", "of the last 50",
              "ms/commit of those");
  for (const std::uint64_t steps : {100, 300, 1000}) {
    const std::uintmax_t before = grow(conversation, steps - kLastSteps, folder);
    const auto begun = Steady::now();
    const std::uintmax_t size = grow(conversation, steps, folder);
    const Milliseconds elapsed = Steady::now() - begun;
    std::printf("%6llu %12llu %12llu %18llu %18.2f\n", static_cast<unsigned long long>(steps),
                static_cast<unsigned long long>((size - empty) / steps),
                static_cast<unsigned long long>(conversation.data_bytes() / steps),
                static_cast<unsigned long long>((size - before) / kLastSteps),
                elapsed.count() / (2.0 * kLastSteps));
  }
}

void measure_blobs(const std::filesystem::path& folder) {
  asio::io_context context{1};
  AsioLoop loop(context);
  const auto store = open_store(folder, loop);
  Conversation commits;  // a few hundred bytes each at its beginning
  std::printf("%10s %14s %22s\n", "blob MiB", "written in ms", "longest commit in ms");
  for (const std::size_t mebibytes : {0, 1, 8, 64}) {
    std::string content(mebibytes << 20, '\0');
    for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * i >> 7);
    std::string digest = sha256_hex(content);
    bool written = false;
    const auto begun = Steady::now();
    Milliseconds took{};
    store->put_blob(std::move(digest), std::move(content), loop.now(), [&](Result<void> put) {
      if (!put) std::exit(1);
      took = Steady::now() - begun;
      written = true;
    });
    Milliseconds longest{};
    while (!written || longest.count() == 0) {
      for (Commit& commit : commits.next_step(loop.now())) {
        const auto sent = Steady::now();
        commit_and_wait(*store, context, std::move(commit));
        longest = std::max<Milliseconds>(longest, Steady::now() - sent);
      }
    }
    std::printf("%10zu %14.1f %22.1f\n", mebibytes, took.count(), longest.count());
  }
}

}  // namespace ganglion::bench
