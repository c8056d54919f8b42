#include "adapters/nats/burials.h"

#include <utility>

#include "adapters/nats/acknowledgement.h"

namespace ganglion::nats {

void Burials::bury(std::string queue, std::string subject, std::string reason) {
  const auto info = delivery_info(subject);
  if (!info) return;
  const std::uint64_t number = ++last_number_;
  subjects_.emplace(number, std::move(subject));
  queues_.copy_to_dead_letters(std::move(queue), info->sequence, std::move(reason),
                               [this, number](Queues::Copied copied) {
                                 const auto burial = subjects_.extract(number);
                                 if (copied == Queues::Copied::copied && link_.ready())
                                   link_.connection().publish(burial.mapped(), {}, {}, kTerm);
                               });
}

// Meanwhile nobody must get it again.
void Burials::tick() {
  if (!link_.ready()) return;
  for (const auto& [number, subject] : subjects_) link_.connection().publish(subject, {}, {}, kInProgress);
}

}  // namespace ganglion::nats
