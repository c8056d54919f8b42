#include "cluster/run_consumer.h"

#include <utility>

#include "ingress/blob_check.h"
#include "ingress/http/json_check.h"
#include "ingress/task_requests.h"
#include "ports/bus_check.h"

namespace ganglion::cluster {

RunConsumer::RunConsumer(Surroundings around, RunConsumerOptions options)
    : around_(std::move(around)), options_(options) {}

void RunConsumer::serve(const std::string& domain) {
  if (domains_.insert(domain).second) open(domain);
}

void RunConsumer::open(const std::string& domain) {
  auto declared = [this, alive = std::weak_ptr(alive_), domain](const Result<void>& result) {
    if (alive.expired()) return;
    if (result) {
      around_.bus.consume(coordinator_queue(domain), options_.prefetch,
                          [this, alive, domain](Delivery delivery) {
                            if (!alive.expired()) delivered(domain, std::move(delivery));
                          });
      return keep(domain);
    }
    if (result.error().code != "unavailable") around_.problem(result.error());
    around_.clock.at(around_.clock.now() + options_.try_again, [this, alive, domain] {
      if (!alive.expired()) open(domain);
    });
  };
  around_.bus.declare(coordinator_queue(domain), {}, std::move(declared));
}

// Plain clients find it there, whoever removes it; its consumer goes on by itself.
void RunConsumer::keep(const std::string& domain) {
  around_.clock.at(around_.clock.now() + options_.look_again, [this, alive = std::weak_ptr(alive_), domain] {
    if (alive.expired()) return;
    around_.bus.declare(coordinator_queue(domain), {}, [](const Result<void>&) {});
    keep(domain);
  });
}

void RunConsumer::delivered(const std::string& domain, Delivery delivery) {
  const std::string& type = delivery.message.type;
  if (type == kResultType) return result(domain, std::move(delivery));
  if (type == kReportType) {
    auto report = read_report(delivery.message.body);
    if (!report) return bury(delivery, report.error().message);
    return pass_on(domain, std::move(delivery), *std::move(report));
  }
  if (type == kRunType) {
    auto notice = read_run(delivery.message.body);
    if (!notice) return bury(delivery, notice.error().message);
    return around_.take_up(*std::move(notice),
                           [this, alive = std::weak_ptr(alive_), domain, delivery](bool heard) {
                             if (alive.expired()) return;
                             if (heard) return around_.bus.acknowledge(delivery.tag);
                             again(domain, delivery);
                           });
  }
  bury(delivery, "\"" + type + "\" is no type of a message to coordinators; results are " + kResultType);
}

void RunConsumer::result(const std::string& domain, Delivery delivery) {
  const std::string& body = delivery.message.body;
  if (auto valid = http::check_json(body); !valid) return bury(delivery, valid.error().message);
  std::vector<http::FieldError> errors;
  auto read = ingress::read_result(body, "", "", errors);
  if (!errors.empty()) return bury(delivery, errors.front().path + " " + errors.front().message);
  if (!read)
    return bury(delivery,
                read.error() == Verdict::unknown ? "the token can't be one" : "no result: see the reference");
  TaskReport report = std::move(read->report);
  report.started_at = around_.began(report);
  if (read->blobs.empty()) return pass_on(domain, std::move(delivery), std::move(report));
  auto checked = [this, alive = std::weak_ptr(alive_), domain, delivery = std::move(delivery),
                  report = std::move(report)](const Result<void>& there) mutable {
    if (alive.expired()) return;
    if (!there && there.error().code != "unknown_blob") return again(domain, std::move(delivery));
    if (!there) report.outcome = TaskFailure{there.error().code, there.error().message, false, {}};
    pass_on(domain, std::move(delivery), std::move(report));
  };
  ingress::check_blobs(around_.store, std::move(read->blobs), std::move(checked));
}

void RunConsumer::pass_on(const std::string& domain, Delivery delivery, TaskReport report) {
  const AttemptToken token = report.token;
  around_.report(std::move(report), domain,
                 [this, alive = std::weak_ptr(alive_), domain, delivery = std::move(delivery),
                  token](const Result<Verdict>& verdict) mutable {
                   if (alive.expired()) return;
                   if (!verdict) return again(domain, std::move(delivery));
                   decided(delivery, token, *verdict);
                 });
}

void RunConsumer::decided(const Delivery& delivery, const AttemptToken& token, Verdict verdict) {
  if (is_bus_name(delivery.message.reply_to)) {
    around_.bus.publish(delivery.message.reply_to,
                        {.id = token.text(),
                         .type = kVerdictType,
                         .reply_to = {},
                         .body = verdict_message(token.text(), verdict)},
                        [](const Result<void>&) {});
  }
  around_.bus.acknowledge(delivery.tag);
}

void RunConsumer::bury(const Delivery& delivery, const std::string& reason) {
  around_.problem({"unreadable_message", reason});
  around_.bus.bury(delivery.tag, reason);
}

// Not at once: what was in the way may still be. It stays with this process meanwhile, because a message that
// goes back too often ends among the dead letters.
void RunConsumer::again(const std::string& domain, Delivery delivery) {
  around_.clock.at(around_.clock.now() + options_.try_again,
                   [this, alive = std::weak_ptr(alive_), domain, delivery = std::move(delivery)]() mutable {
                     if (!alive.expired()) delivered(domain, std::move(delivery));
                   });
}

}  // namespace ganglion::cluster
