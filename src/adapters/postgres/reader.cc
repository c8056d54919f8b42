#include "adapters/postgres/reader.h"

#include <utility>

#include "adapters/postgres/trouble.h"
#include "base/overloaded.h"

namespace ganglion::postgres {
namespace {

using Steady = std::chrono::steady_clock;

}  // namespace

Reader::Reader(asio::io_context& loop, const Address& address, std::chrono::milliseconds patience)
    : loop_(loop),
      patience_(patience),
      link_(loop, address, reader_statements(),
            {.ready = [this] { send_waiting(); }, .lost = [this](const std::string& why) { lost(why); }}) {}

void Reader::push(Read read) {
  if (waiting_.size() >= kMaxReadsWaiting)
    return refuse(std::move(read), {"unavailable", "too many reads wait for the store; try again later"});
  waiting_.push_back(std::move(read));
  send_waiting();
}

void Reader::connect_anew() {
  if (link_.is_ready()) link_.connection().drop("the server may be another one");
}

void Reader::send_waiting() {
  while (link_.is_ready() && !waiting_.empty() && under_way_.size() < kMaxReadsUnderWay) {
    under_way_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    const Call& call = under_way_.back().call;
    link_.connection().send(*call.statement, call.params,
                            [this](ResultPtr result) { answered(std::move(result)); });
    link_.connection().sync();
  }
}

void Reader::answered(ResultPtr result) {
  if (!succeeded(*result) && trouble_of(sqlstate_of(*result)) == Trouble::lost)
    return link_.connection().drop(message_of(*result));
  Read read = std::move(under_way_.front());
  under_way_.pop_front();
  if (succeeded(*result)) {
    NextStep step = read.take(std::move(result));
    go_on(std::move(read), std::move(step));
  } else {
    refuse(std::move(read), read_error(sqlstate_of(*result), message_of(*result)));
  }
  send_waiting();
}

void Reader::go_on(Read read, NextStep step) {
  std::visit(Overloaded{[&](Call& next) {
                          read.call = std::move(next);
                          read.since = Steady::now();
                          waiting_.push_back(std::move(read));
                        },
                        [&](Delivery& delivery) {
                          asio::post(loop_, [alive = std::weak_ptr(alive_),
                                             delivery = std::move(delivery)]() mutable {
                            if (!alive.expired()) delivery();
                          });
                        }},
             step);
}

void Reader::refuse(Read read, const Error& why) {
  NextStep step = read.take(std::unexpected(why));
  go_on(std::move(read), std::move(step));
}

void Reader::lost(const std::string& why) {
  while (!under_way_.empty()) {
    waiting_.push_front(std::move(under_way_.back()));
    under_way_.pop_back();
  }
  std::deque<Read> still;
  for (Read& read : std::exchange(waiting_, {})) {
    if (Steady::now() - read.since >= patience_)
      refuse(std::move(read), {"unavailable", "the store can't be read: " + why});
    else
      still.push_back(std::move(read));
  }
  waiting_ = std::move(still);
}

}  // namespace ganglion::postgres
