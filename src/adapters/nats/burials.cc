#include "adapters/nats/burials.h"

#include <utility>

#include "adapters/nats/acknowledgement.h"
#include "adapters/nats/headers.h"
#include "adapters/nats/json.h"

namespace ganglion::nats {

void Burials::bury(std::string queue, std::string subject, std::string reason) {
  const auto info = delivery_info(subject);
  if (!info) return;
  const auto until = Steady::now() + patience_;
  const std::uint64_t number = ++last_number_;
  const std::string stream = names_.queue_stream(queue);
  burials_.emplace(number, Burial{std::move(queue), std::move(subject), std::move(reason), until});
  requests_.ask({.subject = "$JS.API.DIRECT.GET." + stream,
                 .body = JsonObject().add("seq", static_cast<std::int64_t>(info->sequence)).finish()},
                until, [this, number](const Result<Answer>& answer) { fetched(number, answer); });
}

// Meanwhile nobody must get it again.
void Burials::tick() {
  if (!link_.ready()) return;
  for (const auto& [number, burial] : burials_)
    link_.connection().publish(burial.subject, {}, {}, kInProgress);
}

void Burials::fetched(std::uint64_t number, const Result<Answer>& answer) {
  if (!answer || status_of(answer->headers) != 0) {
    burials_.erase(number);
    return;
  }
  const Burial& burial = burials_.at(number);
  const BusMessage message = message_of(answer->headers, answer->body);
  std::string headers = dead_headers_of(message, burial.reason);
  if (headers.size() + message.body.size() > link_.info().max_payload) headers = headers_of(message);
  requests_.ask(
      {.subject = names_.dead_subject(burial.queue), .headers = std::move(headers), .body = message.body},
      burial.until, [this, number](const Result<Answer>& confirmed) { kept(number, confirmed); });
}

void Burials::kept(std::uint64_t number, const Result<Answer>& answer) {
  const auto burial = burials_.extract(number);
  const bool is_kept = answer && status_of(answer->headers) == 0 && !api_error(answer->body);
  if (is_kept) link_.connection().publish(burial.mapped().subject, {}, {}, kTerm);
}

}  // namespace ganglion::nats
