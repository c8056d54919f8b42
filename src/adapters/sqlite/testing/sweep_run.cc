#include "adapters/sqlite/testing/sweep_run.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace ganglion::sqlite::testing {
namespace {

constexpr int kTries =
    4;  // one fault refuses a step once; more tries would hide a store that doesn't recover

Options options_of(const StoreFile& place, ganglion::testing::TestLoop& loop) {
  Options options = place.options(loop);
  options.vfs = FaultyVfs::kName;
  options.log_pages = SweepRun::kLogPages;
  return options;
}

[[maybe_unused]] const bool kQuick = [] {
  use_quick_memory();
  return true;
}();

}  // namespace

std::filesystem::path quick_folder() {
  const std::filesystem::path memory = "/dev/shm";
  return std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
}

bool SweepRun::open() {
  store_.reset();
  for (int tries = 0; tries < kTries; ++tries) {
    Options options = options_of(place_, loop_);
    options.post_from_thread = [this, post = loop_.poster()](std::move_only_function<void()> callback) {
      post([this, at = disk_.change_count(), callback = std::move(callback)]() mutable {
        position_ = at;
        callback();
      });
    };
    options.fatal = [this, post = loop_.poster()](const std::string&) {
      const int syncs = disk_.syncs();
      disk_.die();
      post([this, syncs] {
        stopped_ = true;
        syncs_when_stopped_ = syncs;
      });
    };
    Result<std::unique_ptr<Store>> opened = Store::open(std::move(options));
    if (opened) {
      store_ = std::move(*opened);
      return true;
    }
    open_errors_.push_back(opened.error());
  }
  complaints_.push_back("can't be opened: " + open_errors_.back().message);
  return false;
}

void SweepRun::perform() {
  for (const Session& session : sweep_workload()) {
    if (stopped_ || !open()) return;
    perform(session);
  }
}

void SweepRun::perform_session(std::size_t session, Reads reads) {
  const std::vector<Session>& workload = sweep_workload();
  for (std::size_t earlier = 0; earlier < session; ++earlier) before_ += step_count(workload[earlier]);
  if (!open()) return;
  if (reads == Reads::yes) read_everything();
  perform(workload.at(session));
}

void SweepRun::perform(const Session& session) {
  for (const StepGroup& group : session) {
    if (stopped_ || !complaints_.empty()) break;
    perform(group);
  }
  store_.reset();
}

void SweepRun::perform(const StepGroup& group) {
  if (group.together.empty()) return perform(group.first);
  // The store's thread waits in the sync of the first while the others gather in the queue; before, it must
  // be done with what the last step has left it to do.
  bool idle = false;
  store_->last_time([&](const Result<Timestamp>&) { idle = true; });
  loop_.run_until([&] { return idle || stopped_; });
  if (stopped_) return;
  disk_.hold_syncs();
  std::optional<StepAnswer> first;
  group.first.submit(*store_, [&](StepAnswer answer) { first = answer; });
  bool looking = true;
  while (looking && !disk_.sync_is_held()) {
    bool turned = false;
    loop_.clock().post([&] { turned = true; });
    loop_.run_until([&] { return turned; });
    looking = !first && !stopped_;
    std::this_thread::yield();
  }
  if (!disk_.sync_is_held()) {
    // A fault came before.
    disk_.release_syncs();
    if (stopped_) return;
    acknowledge(*first, group.first.name);
    if (*first == StepAnswer::refused) perform(group.first);
    for (const Step& step : group.together) perform(step);
    return;
  }
  std::vector<std::optional<StepAnswer>> answers(group.together.size());
  std::size_t given = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    group.together[i].submit(*store_, [&, i](StepAnswer answer) {
      acknowledge(answer, group.together[i].name);
      answers[i] = answer;
      ++given;
    });
  }
  disk_.release_syncs();
  loop_.run_until([&] { return first || stopped_; });
  if (stopped_) return;
  acknowledge(*first, group.first.name);
  loop_.run_until([&] { return given == answers.size() || stopped_; });
  for (std::size_t i = 0; i < answers.size() && !stopped_; ++i)
    if (answers[i] == StepAnswer::refused) perform(group.together[i]);
}

void SweepRun::perform(const Step& step) {
  for (int tries = 0; tries < kTries && !stopped_ && complaints_.empty(); ++tries) {
    std::optional<StepAnswer> given;
    step.submit(*store_, [&](StepAnswer answer) { given = answer; });
    loop_.run_until([&] { return given || stopped_; });
    if (!given) return;
    acknowledge(*given, step.name);
    if (*given == StepAnswer::done) return;
  }
  if (!stopped_ && complaints_.empty()) complaints_.push_back("refused again and again: " + step.name);
}

void SweepRun::acknowledge(StepAnswer answer, const std::string& name) {
  switch (answer) {
    case StepAnswer::done:
      positions_.push_back(position_);
      return;
    case StepAnswer::refused:
      ++refusals_;
      return;
    case StepAnswer::wrong:
      complaints_.push_back("a wrong answer to: " + name);
      return;
  }
}

void SweepRun::read_everything() {
  const StoreDump found = dump(loop_, *store_, sweep_keys(), [this] { return stopped_; });
  const StoreDump& wanted = expected().at(acknowledged());
  bool failed = false;
  for (const DumpLine& line : found) failed = failed || line.failed;
  if (failed) ++refusals_;
  // A listing that fails leaves the questions about what it would have listed unasked.
  for (const DumpLine& line : found) {
    if (line.failed || std::ranges::find(wanted, line) != wanted.end()) continue;
    complaints_.push_back("read what was never written: " + line.what + ": " + line.answer.substr(0, 300));
  }
  if (!failed && found.size() != wanted.size()) complaints_.push_back("read less than there is");
}

Found open_on(FaultyVfs& disk, const StoreFile& place, DiskImage image, Writes writes) {
  disk.restore(std::move(image));
  ganglion::testing::TestLoop loop;
  bool stopped = false;
  Options options = options_of(place, loop);
  options.fatal = [&disk, &stopped, post = loop.poster()](const std::string&) {
    disk.die();
    post([&stopped] { stopped = true; });
  };
  Found found;
  Result<std::unique_ptr<Store>> store = Store::open(std::move(options));
  if (!store) {
    found.refused = store.error();
    return found;
  }
  found.dump = dump(loop, **store, sweep_keys(), [&] { return stopped; });
  if (writes == Writes::yes && !stopped) {
    bool written = false;
    (*store)->put_setting("written", "again", [&](Result<void> put) { written = put.has_value(); });
    loop.run_until([&] { return written || stopped; });
    stopped = stopped || !written;
  }
  found.stopped = stopped;
  store->reset();
  disk.heal();
  return found;
}

const std::vector<StoreDump>& expected() {
  static const std::vector<StoreDump> dumps = expected_dumps();
  return dumps;
}

std::optional<std::size_t> prefix_in(const StoreDump& dump, std::size_t least) {
  for (std::size_t steps = least; steps < expected().size(); ++steps)
    if (expected()[steps] == dump) return steps;
  return std::nullopt;
}

}  // namespace ganglion::sqlite::testing
