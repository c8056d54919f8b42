#include "adapters/nats/acknowledgement.h"

#include <algorithm>

#include "base/url_parts.h"

namespace ganglion::nats {

// $JS.ACK.[DOMAIN.ACCOUNT.]STREAM.CONSUMER.DELIVERIES.SEQUENCE.…, with nine words or more than eleven.
std::optional<DeliveryInfo> delivery_info(std::string_view subject) {
  if (!subject.starts_with("$JS.ACK.")) return std::nullopt;
  const auto dots = std::ranges::count(subject, '.');
  for (int skipped = dots > 8 ? 6 : 4; skipped > 0; --skipped) take_until(subject, '.');
  const auto deliveries = parse_number<std::uint64_t>(take_until(subject, '.'));
  const auto sequence = parse_number<std::uint64_t>(take_until(subject, '.'));
  if (!deliveries || !sequence) return std::nullopt;
  return DeliveryInfo{.deliveries = *deliveries, .sequence = *sequence};
}

}  // namespace ganglion::nats
