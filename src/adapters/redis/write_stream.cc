#include "adapters/redis/write_stream.h"

#include <iterator>
#include <utility>

#include "adapters/redis/library.h"
#include "adapters/redis/refusal.h"
#include "base/asio/asio.h"
#include "base/assert.h"

namespace ganglion::redis {

WriteStream::WriteStream(asio::io_context& context, Link& link, const Url& url, Options options)
    : context_(context), link_(link), base_(url.base_key()), options_(std::move(options)) {}

WriteStream::~WriteStream() = default;

void WriteStream::push(std::string operation, Done done) {
  if (stopped_) return;
  if (waiting_bytes_ > 0 && waiting_bytes_ + operation.size() > kMaxWaitingBytes) {
    asio::post(context_, [done = std::move(done), alive = std::weak_ptr(alive_)]() mutable {
      if (!alive.expired()) done(std::unexpected("too many writes wait for Redis; try again later"));
    });
    return;
  }
  waiting_bytes_ += operation.size();
  waiting_.push_back({std::move(operation), std::move(done), Steady::now()});
  pump_soon();
}

// What the loop's turn pushes goes together.
void WriteStream::pump_soon() {
  if (std::exchange(pump_is_due_, true)) return;
  asio::post(context_, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    pump_is_due_ = false;
    pump();
  });
}

void WriteStream::pump() {
  while (link_.ready() && !stopped_ && !waiting_.empty() && in_flight_.size() < kMaxGroupsInFlight) {
    in_flight_.push_back(gather());
    send(in_flight_.size() - 1);
  }
}

// As many as the bounds allow, one at least.
WriteStream::Group WriteStream::gather() {
  Group group{.number = ++last_number_, .words = {}, .done = {}, .made = waiting_.front().made};
  do {
    Write& write = waiting_.front();
    waiting_bytes_ -= write.operation.size();
    append_word(group.words, write.operation);
    group.done.push_back(std::move(write.done));
    waiting_.pop_front();
  } while (!waiting_.empty() && group.done.size() < kMaxGroupWrites &&
           group.words.size() + waiting_.front().operation.size() <= kMaxGroupBytes);
  return group;
}

void WriteStream::send(std::size_t position) {
  constexpr std::size_t kOtherWords = 9;
  Group& group = in_flight_[position];
  const std::int64_t previous = position > 0 ? in_flight_[position - 1].number : link_.acknowledged();
  std::string bytes;
  append_word_count(bytes, kOtherWords + group.done.size());
  for (const std::string_view word :
       {std::string_view("FCALL"), std::string_view(library().write), std::string_view("1"),
        std::string_view(base_), std::string_view(link_.writer())}) {
    append_word(bytes, word);
  }
  for (const std::int64_t number : {epoch_, group.number, previous, link_.acknowledged()})
    append_word(bytes, std::to_string(number));
  bytes += group.words;
  group.sent = true;
  link_.send(bytes, [this](const Reply& reply) { answered(reply); });
}

void WriteStream::ready(const Greeted& greeted) {
  epoch_ = greeted.epoch;
  const std::weak_ptr alive = alive_;
  while (!in_flight_.empty() && !stopped_) {
    const auto answer = greeted.answers.find(in_flight_.front().number);
    if (answer == greeted.answers.end()) break;
    understand(answer->second);
    if (alive.expired()) return;
  }
  for (std::size_t position = 0; position < in_flight_.size() && !stopped_; ++position) {
    in_flight_[position].lost = false;
    send(position);
  }
  pump();
}

// Answers come in the order of the calls, so it is the first one's.
void WriteStream::answered(const Reply& reply) {
  if (stopped_) return;
  GANGLION_ASSERT(!in_flight_.empty());
  if (!reply.is_error()) return understand(reply.text);
  const Refusal refusal = refusal_of(reply);
  switch (refusal.kind) {
    case Refusal::Kind::again:
      in_flight_.front().sent = false;
      return link_.drop(refusal.reason);
    case Refusal::Kind::refused:
      return refused(in_flight_.begin(), refusal.reason);
    case Refusal::Kind::unknown:
      return die("Redis answered a write with an error in the middle of it: " + refusal.reason);
  }
}

void WriteStream::understand(const std::string& packed) {
  Unpacker answer(packed);
  answer.array();
  const std::string_view word = answer.text();
  if (word == "done") return done(answer);
  die(word == "regressed" ? kRegressed : "Redis answered a write with what is no answer");
}

void WriteStream::lost() {
  for (Group& group : in_flight_) {
    group.lost |= group.sent;
    group.sent = false;
  }
}

void WriteStream::done(Unpacker answers) {
  Group group = std::move(in_flight_.front());
  in_flight_.pop_front();
  link_.acknowledge(group.number);
  if (answers.array() != group.done.size()) return die("Redis answered a write with too few answers");
  pump_soon();
  const std::weak_ptr alive = alive_;
  for (Done& done : group.done) {
    done(Unpacker(answers.raw()));
    if (alive.expired()) return;
  }
}

void WriteStream::refused(std::deque<Group>::iterator group, const std::string& reason) {
  std::vector<Done> refused = std::move(group->done);
  in_flight_.erase(group);
  const std::weak_ptr alive = alive_;
  for (Done& done : refused) {
    done(std::unexpected(reason));
    if (alive.expired()) return;
  }
  pump_soon();
}

void WriteStream::tick() {
  const Steady::time_point oldest = Steady::now() - options_.patience;
  const std::string reason =
      "Redis is not available: " + (link_.ready() ? std::string("it is too slow") : link_.problem());
  const std::weak_ptr alive = alive_;
  // From the back, so that those in front keep their places.
  for (std::size_t position = in_flight_.size(); position-- > 0 && !link_.ready();) {
    const auto group = std::next(in_flight_.begin(), static_cast<std::ptrdiff_t>(position));
    if (group->lost || group->made > oldest) continue;
    refused(group, reason);
    if (alive.expired()) return;
  }
  while (!waiting_.empty() && waiting_.front().made <= oldest) {
    Write write = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= write.operation.size();
    write.done(std::unexpected(reason));
    if (alive.expired()) return;
  }
}

void WriteStream::die(const std::string& reason) {
  stopped_ = true;
  options_.fatal(reason);
}

}  // namespace ganglion::redis
