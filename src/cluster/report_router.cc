#include "cluster/report_router.h"

#include <iterator>
#include <memory>
#include <utility>

#include "cluster/messages.h"

namespace ganglion::cluster {
namespace {

// Of a message, before the report that goes beyond it; the largest has two payloads and some events.
constexpr std::size_t kMostBytes = kMaxBusMessage / 4;
constexpr std::string_view kUndecided = "undecided";  // in the place of a verdict

}  // namespace

ReportRouter::ReportRouter(Surroundings around) : around_(std::move(around)) {
  around_.mail.on(kReportsType, [this](const std::string&, const std::string& body, Mail::Reply reply) {
    const auto items = read_list(body);
    if (!items) return;
    struct Answer {
      std::vector<std::string> words;
      std::size_t open = 0;
      Mail::Reply reply;
    };
    auto answer = std::make_shared<Answer>();
    answer->words.resize(items->size(), std::string(verdict_name(Verdict::unknown)));
    answer->open = items->size();
    answer->reply = std::move(reply);
    for (std::size_t i = 0; i < items->size(); ++i) {
      auto done = [answer, i](const Result<Verdict>& verdict) {
        answer->words[i] = verdict ? verdict_name(*verdict) : kUndecided;
        if (--answer->open == 0) answer->reply(join(answer->words));
      };
      auto report = read_report((*items)[i]);
      if (!report) {
        done(std::unexpected(report.error()));  // the other one decides it itself
        continue;
      }
      decide(*std::move(report), std::move(done));
    }
  });
}

void ReportRouter::report(TaskReport report, Completion done) {
  const std::string* workflow = around_.workflow_of(report.token);
  const std::string member = workflow ? around_.elsewhere(report.token.run, *workflow) : std::string();
  if (member.empty()) return decide(std::move(report), std::move(done));
  report_to(member, std::move(report), std::move(done));
}

void ReportRouter::report_to(const std::string& member, TaskReport report, Completion done) {
  if (leaving_.empty()) {
    around_.clock.post([this, alive = std::weak_ptr(alive_)] {
      if (!alive.expired()) flush();
    });
  }
  leaving_[member].emplace_back(std::move(report), std::move(done));
}

void ReportRouter::flush() {
  for (auto& [member, batch] : std::exchange(leaving_, {})) {
    send(member, std::move(batch));
  }
}

// In messages that a broker takes: one report is smaller than that by far, since payloads are.
void ReportRouter::send(const std::string& member, Batch all) {
  auto next = std::make_move_iterator(all.begin());
  while (next.base() != all.end()) {
    Batch batch;
    std::vector<std::string> items;
    std::size_t bytes = 0;
    while (next.base() != all.end() && bytes < kMostBytes) {
      batch.push_back(*next++);
      items.push_back(report_message(batch.back().first));
      bytes += items.back().size();
    }
    auto heard = [this, alive = std::weak_ptr(alive_),
                  batch = std::move(batch)](const Result<std::string>& words) mutable {
      if (!alive.expired()) answered(std::move(batch), words);
    };
    around_.mail.ask(member, kReportsType, list_message(items), std::move(heard));
  }
}

void ReportRouter::answered(Batch batch, const Result<std::string>& words) {
  const std::vector<std::string> verdicts = words ? split(*words) : std::vector<std::string>();
  for (std::size_t i = 0; i < batch.size(); ++i) {
    auto& [report, done] = batch[i];
    const auto verdict = i < verdicts.size() ? verdict_of(verdicts[i]) : std::nullopt;
    if (!verdict) {
      decide(std::move(report), std::move(done));
      continue;
    }
    around_.decided(report.token);
    done(*verdict);
  }
}

void ReportRouter::decide(TaskReport report, Completion done) {
  auto decided = [this, alive = std::weak_ptr(alive_), token = report.token,
                  done = std::move(done)](Result<Verdict> verdict) mutable {
    if (verdict && !alive.expired()) around_.decided(token);
    done(std::move(verdict));
  };
  around_.decide(std::move(report), std::move(decided));
}

}  // namespace ganglion::cluster
