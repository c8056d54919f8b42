#include "adapters/kafka/ears.h"

#include <algorithm>
#include <random>
#include <utility>

#include "base/url_parts.h"

namespace ganglion::kafka {
namespace {

// While somebody waits to hear, and while nobody does.
constexpr std::chrono::milliseconds kProbeAgain{100};
constexpr std::chrono::milliseconds kProbe{1'000};

}  // namespace

// No name of a topic has a blank.
Ears::Ears(Producer& producer, Reader& reader, Patience& patience, const Names& names,
           std::chrono::milliseconds silence)
    : producer_(producer),
      reader_(reader),
      patience_(patience),
      topic_(names.topics()),
      own_topic_("probe " + std::to_string(std::random_device()()) + std::to_string(std::random_device()())),
      silence_(silence) {}

void Ears::add(std::string topic, Bus::Listener listener, std::function<void()> lost,
               Bus::Completion<Result<void>> ready) {
  if (ears_.empty()) {
    own_heard_ = Steady::now();
    reader_.start(topic_, Reader::kEnd, [this](const Record& record) { heard(record); });
  }
  auto ear = std::make_shared<Ear>(Ear{.topic = std::move(topic),
                                       .listener = std::move(listener),
                                       .lost = std::move(lost),
                                       .ready = nullptr,
                                       .probe = last_probe_ + 1});
  ear->ready = patience_.limit<void>([ear, ready = std::move(ready)](Result<void> result) mutable {
    ear->given_up = !result;
    ready(std::move(result));
  });
  ears_.push_back(std::move(ear));
  probe();
}

void Ears::trouble() {
  for (const auto& ear : ears_) {
    if (!ear->listens) continue;
    ear->missed = true;
    ear->probe = last_probe_ + 1;
  }
}

void Ears::tick() {
  if (ears_.empty()) return;
  std::erase_if(ears_, [](const auto& ear) { return ear->given_up; });
  const auto now = Steady::now();
  if (now - own_heard_ > silence_) trouble();
  const bool is_awaited =
      std::ranges::any_of(ears_, [](const auto& ear) { return !ear->listens || ear->missed; });
  if (now - probed_ >= (is_awaited ? kProbeAgain : kProbe)) probe();
}

void Ears::probe() {
  probed_ = Steady::now();
  producer_.send(topic_, 0, {{kTopic, own_topic_}}, std::to_string(++last_probe_),
                 [](const Result<std::int64_t>&) {});
}

// A listener may destroy everything.
void Ears::heard(const Record& record) {
  if (next_ >= 0 && record.offset != next_)
    trouble();  // it was away for longer than Kafka keeps what was said
  next_ = record.offset + 1;
  if (record.topic == own_topic_) {
    if (const auto number = parse_number<std::uint64_t>(record.message.body)) own_heard(*number);
    return;
  }
  const std::weak_ptr alive = alive_;
  const auto ears = ears_;
  for (const auto& ear : ears) {
    if (ear->listens && ear->topic == record.topic) ear->listener(record.message);
    if (alive.expired()) return;
  }
}

void Ears::own_heard(std::uint64_t number) {
  own_heard_ = Steady::now();
  const std::weak_ptr alive = alive_;
  const auto ears = ears_;
  for (const auto& ear : ears) {
    if (ear->given_up || number < ear->probe) continue;
    if (!std::exchange(ear->listens, true))
      ear->ready({});
    else if (std::exchange(ear->missed, false))
      ear->lost();
    if (alive.expired()) return;
  }
}

}  // namespace ganglion::kafka
