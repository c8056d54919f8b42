#include "adapters/postgres/link.h"

#include <algorithm>
#include <utility>

namespace ganglion::postgres {

Link::Link(asio::io_context& loop, const Address& address, std::span<const Statement* const> statements,
           Handlers handlers)
    : loop_(loop),
      address_(address),
      statements_(statements),
      handlers_(std::move(handlers)),
      pause_(loop.get_executor()) {
  connect();
}

void Link::connect() {
  connection_ =
      std::make_unique<Connection>(loop_, address_, first_host_, statements_,
                                   Connection::Handlers{.ready =
                                                            [this] {
                                                              ready_ = true;
                                                              next_pause_ = kFirstPause;
                                                              handlers_.ready();
                                                            },
                                                        .lost = [this](std::string why) { lost(why); }});
}

void Link::give_up(std::string why) {
  next_pause_ = kLongestPause;
  connection_->drop(std::move(why));
}

void Link::lost(const std::string& why) {
  // A host that takes connections and doesn't answer would be in the way of those behind it each time.
  if (!std::exchange(ready_, false)) ++first_host_;
  connection_.reset();
  pause_.expires_after(next_pause_);
  next_pause_ = std::min(2 * next_pause_, kLongestPause);
  pause_.async_wait([this, alive = std::weak_ptr(alive_)](boost::system::error_code cancelled) {
    if (!cancelled && !alive.expired()) connect();
  });
  handlers_.lost(why);
}

}  // namespace ganglion::postgres
