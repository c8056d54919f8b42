#include "coordinator/sessions.h"

#include <algorithm>
#include <utility>

namespace ganglion {

Sessions::Sessions(Store& store, Clock& clock, SessionsOptions options)
    : store_(store), clock_(clock), options_(options) {}

Sessions::~Sessions() {
  if (timer_) clock_.cancel(*timer_);
}

void Sessions::start() {
  sweep_again();
}

Sessions::Snapshot Sessions::find(const std::string& session) {
  const auto found = known_.find(session);
  if (found == known_.end() || writing_.contains(session)) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second.use);
  // A key may have expired since it was looked at last; the sweep makes that a version of its own.
  const Timestamp now = clock_.now();
  StateSnapshot& snapshot = *found->second.snapshot;
  if (found->second.snapshot.use_count() == 1) {
    std::erase_if(snapshot.entries, [now](const auto& entry) {
      return entry.second.expires_at && *entry.second.expires_at <= now;
    });
  }
  return found->second.snapshot;
}

void Sessions::keep(const std::string& session, StateSnapshot snapshot) {
  forget(session);
  recent_.push_front(session);
  known_.emplace(session, Known{std::make_shared<StateSnapshot>(std::move(snapshot)), recent_.begin()});
  if (recent_.size() <= options_.kept) return;
  const std::string oldest = recent_.back();
  forget(oldest);
}

void Sessions::forget(const std::string& session) {
  const auto found = known_.find(session);
  if (found == known_.end()) return;
  recent_.erase(found->second.use);
  known_.erase(found);
}

void Sessions::load(const std::string& session, Completion<Result<Snapshot>> done) {
  if (auto known = find(session)) return done(std::move(known));
  const auto writing = writing_.find(session);
  if (writing != writing_.end()) {
    writing->second.emplace_back(
        [this, session, done = std::move(done)]() mutable { load(session, std::move(done)); });
    return;
  }
  std::vector<Completion<Result<Snapshot>>>& waiting = loading_[session].waiting;
  waiting.push_back(std::move(done));
  if (waiting.size() == 1) read_for(session);
}

void Sessions::read_for(const std::string& session) {
  auto loaded = [this, session](Result<StateSnapshot> snapshot) {
    if (snapshot && snapshot->version < loading_.at(session).at_least) return read_for(session);
    auto node = loading_.extract(session);
    if (snapshot) keep(session, *std::move(snapshot));
    for (auto& waiter : node.mapped().waiting) {
      if (snapshot) {
        // The one before may have begun to write.
        load(session, std::move(waiter));
      } else {
        waiter(std::unexpected(snapshot.error()));
      }
    }
  };
  store_.read_state(session, std::nullopt, std::move(loaded));
}

// What is being read may be from before.
void Sessions::has_become(const std::string& session, std::uint64_t version) {
  const auto loading = loading_.find(session);
  if (loading != loading_.end()) loading->second.at_least = std::max(loading->second.at_least, version);
}

void Sessions::read(const std::string& session, std::optional<std::uint64_t> version,
                    Completion<Result<StateSnapshot>> done) {
  store_.read_state(session, version, std::move(done));
}

void Sessions::write(const std::string& session, StateWrite write, StatePrecondition precondition,
                     Completion<StateOutcome> done) {
  const auto writing = writing_.find(session);
  if (writing != writing_.end()) {
    writing->second.emplace_back(
        [this, session, write = std::move(write), precondition, done = std::move(done)]() mutable {
          this->write(session, std::move(write), precondition, std::move(done));
        });
    return;
  }
  begin_write(session);
  auto written = [this, session, write, done = std::move(done)](StateOutcome outcome) mutable {
    if (outcome) wrote({session, {std::move(write)}}, *outcome);
    end_write(session);
    done(std::move(outcome));
  };
  store_.write_state(session, write, precondition, std::move(written));
}

void Sessions::begin_write(const std::string& session) {
  writing_.try_emplace(session);
}

void Sessions::end_write(const std::string& session) {
  auto node = writing_.extract(session);
  if (node.empty()) return;
  for (auto& next : node.mapped()) next();
}

void Sessions::wrote(const StateCommit& commit, std::uint64_t version) {
  has_become(commit.session, version);
  const auto found = known_.find(commit.session);
  if (found == known_.end()) return;
  std::shared_ptr<StateSnapshot>& snapshot = found->second.snapshot;
  if (snapshot->version + 1 != version) return forget(commit.session);
  // Whoever holds the version before keeps it as it is.
  if (snapshot.use_count() > 1) snapshot = std::make_shared<StateSnapshot>(*snapshot);
  snapshot->version = version;
  for (const StateWrite& write : commit.writes) {
    if (write.value) {
      snapshot->entries.insert_or_assign(write.key, StateEntry{*write.value, version, write.expires_at});
    } else {
      snapshot->entries.erase(write.key);
    }
  }
}

void Sessions::sweep_again() {
  timer_ = clock_.at(clock_.now() + options_.sweep_every, [this] {
    timer_.reset();
    sweep();
  });
}

void Sessions::sweep() {
  const Timestamp now = clock_.now();
  auto swept = [this, alive = std::weak_ptr(alive_)](Result<std::uint64_t>) {
    if (!alive.expired()) sweep_again();
  };
  auto expired = [this, now, swept = std::move(swept),
                  alive = std::weak_ptr(alive_)](Result<std::vector<ExpiredState>> sessions) mutable {
    if (alive.expired()) return;
    if (sessions) {
      for (const ExpiredState& each : *sessions) {
        has_become(each.session, each.version);
        forget(each.session);
      }
    }
    store_.collect_garbage(now, now - options_.blob_grace, options_.sweep_limit, std::move(swept));
  };
  store_.expire_state(now, options_.sweep_limit, std::move(expired));
}

}  // namespace ganglion
