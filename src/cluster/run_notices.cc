#include "cluster/run_notices.h"

#include <utility>

namespace ganglion::cluster {
namespace {

constexpr std::size_t kNoticesAtOnce = 500;  // in a message to their home
constexpr Duration kTryAgain{200};           // after a broker that was unavailable
constexpr Duration kComplainAgain{60'000};   // of the same

}  // namespace

RunNotices::RunNotices(Surroundings surroundings) : around_(std::move(surroundings)) {
  around_.mail.on(kRunType, [this](const std::string&, const std::string& body, Mail::Reply reply) {
    const auto items = read_list(body);
    if (!items) return;
    for (const std::string& item : *items) {
      if (auto notice = read_run(item)) heard_of(*notice);
    }
    reply("heard");
  });
}

std::string RunNotices::home_of(const RunNotice& notice) const {
  return around_.home_of(notice.run, around_.domain_of(notice.workflow));
}

void RunNotices::written(const RunId& run, const std::string& workflow) {
  RunNotice notice{run, workflow};
  const auto [at, is_new] = open_.try_emplace(notice, false);
  if (!is_new) {
    at->second = true;
    return;
  }
  if (new_.empty()) {
    around_.clock.post([this, alive = std::weak_ptr(alive_)] {
      if (!alive.expired()) send();
    });
  }
  new_.insert(std::move(notice));
}

void RunNotices::send() {
  std::map<std::string, std::vector<RunNotice>> by_home;
  for (const RunNotice& notice : std::exchange(new_, {})) {
    const std::string home = home_of(notice);
    auto& notices = by_home[home];
    notices.push_back(notice);
    if (notices.size() == kNoticesAtOnce) send(home, std::exchange(notices, {}));
  }
  for (auto& [home, notices] : by_home) {
    if (!notices.empty()) send(home, std::move(notices));
  }
}

void RunNotices::send(const std::string& home, std::vector<RunNotice> notices) {
  if (home == around_.self) {
    for (const RunNotice& notice : notices) {
      around_.look(notice.run);
      sent(notice);
    }
    return;
  }
  if (home.empty()) {
    nobody_serves(around_.domain_of(notices.front().workflow));
    for (const RunNotice& notice : notices) queue(notice);
    return;
  }
  std::vector<std::string> items;
  for (const RunNotice& notice : notices) items.push_back(run_message(notice));
  around_.mail.ask(
      home, kRunType, list_message(items),
      [this, alive = std::weak_ptr(alive_), notices = std::move(notices)](const Result<std::string>& heard) {
        if (alive.expired()) return;
        for (const RunNotice& notice : notices) heard ? sent(notice) : queue(notice);
      });
}

// Its runs wait, as they should where the domain's coordinators are merely away for a moment.
void RunNotices::nobody_serves(const std::string& domain) {
  const Timestamp now = around_.clock.now();
  const auto [at, is_new] = unserved_.try_emplace(domain, now);
  if (!is_new && now - at->second < kComplainAgain) return;
  at->second = now;
  around_.problem({"domain_unserved", "nobody coordinates the domain \"" + domain +
                                          "\", so its runs wait; start a process with --domain " + domain});
}

void RunNotices::queue(const RunNotice& notice) {
  const std::string queue_name = coordinator_queue(around_.domain_of(notice.workflow));
  around_.bus.declare(queue_name, {}, [](const Result<void>&) {});
  around_.bus.publish(
      queue_name, {.id = notice.run.text(), .type = kRunType, .reply_to = {}, .body = run_message(notice)},
      [this, alive = std::weak_ptr(alive_), notice](const Result<void>& published) {
        if (alive.expired()) return;
        if (published) return sent(notice);
        around_.clock.at(around_.clock.now() + kTryAgain, [this, alive, notice] {
          if (!alive.expired()) queue(notice);
        });
      });
}

void RunNotices::sent(const RunNotice& notice) {
  const auto at = open_.find(notice);
  if (at == open_.end()) return;
  const bool again = at->second;
  open_.erase(at);
  if (again) written(notice.run, notice.workflow);
}

void RunNotices::take_up(const RunNotice& notice, std::move_only_function<void(bool)> heard) {
  const std::string home = home_of(notice);
  if (home == around_.self) return around_.inspect(notice.run, std::move(heard));
  if (home.empty()) return heard(false);
  around_.mail.ask(
      home, kRunType, list_message({run_message(notice)}),
      [heard = std::move(heard)](const Result<std::string>& answer) mutable { heard(answer.has_value()); });
}

// From a member that takes this one for the run's home. One that knows better passes it on, but not at once:
// they come to the same view in a moment.
void RunNotices::heard_of(const RunNotice& notice) {
  if (home_of(notice) == around_.self) return around_.look(notice.run);
  around_.clock.at(around_.clock.now() + kTryAgain, [this, alive = std::weak_ptr(alive_), notice] {
    if (!alive.expired()) written(notice.run, notice.workflow);
  });
}

}  // namespace ganglion::cluster
