#include "adapters/redis/engine.h"

#include "adapters/redis/durability.h"
#include "adapters/redis/library.h"
#include "base/asio/asio.h"

namespace ganglion::redis {
namespace {

using Steady = std::chrono::steady_clock;

constexpr auto kTurn = std::chrono::milliseconds(50);  // of the loop while it waits for the first connection

}  // namespace

Store::Engine::Engine(asio::io_context& context, Url url, Options options)
    : context_(context),
      url_(std::move(url)),
      options_(std::move(options)),
      link_(context, url_, options_.silence),
      writes_(context, link_, url_,
              {.patience = options_.patience, .fatal = [this](const std::string& reason) { die(reason); }}),
      reads_(context, link_, options_.patience) {}

Result<void> Store::Engine::open() {
  // Whoever is told by the writes may end the store.
  link_.start({.ready =
                   [this, alive = std::weak_ptr(alive_)](const Greeted& greeted) {
                     const auto store = alive;
                     writes_.ready(greeted);
                     if (!store.expired()) reads_.ready();
                   },
               .lost = [this] { writes_.lost(); },
               .failed =
                   [this](const GreetingFailure& failure) {
                     failure_ = failure;
                     if (failure.kind == GreetingFailure::Kind::regressed) die(failure.reason);
                   },
               .tick =
                   [this, alive = std::weak_ptr(alive_)] {
                     const auto store = alive;
                     writes_.tick();
                     if (!store.expired()) reads_.tick();
                   }});
  const auto guard = asio::make_work_guard(context_);
  context_.restart();
  for (const auto end = Steady::now() + options_.patience; !link_.ready() && Steady::now() < end;) {
    context_.run_one_for(kTurn);
    if (!failure_ || failure_->kind == GreetingFailure::Kind::again) continue;
    const bool incompatible = failure_->kind == GreetingFailure::Kind::incompatible;
    return fail(incompatible ? "store_incompatible" : "store_unavailable", failure_->reason);
  }
  if (link_.ready()) return {};
  return fail("store_unavailable", "Redis can't be reached: " + link_.problem());
}

std::string Store::Engine::query_command(std::string_view name, std::string_view arguments) const {
  return command({"FCALL_RO", library().read, "1", url_.base_key(), name, arguments});
}

std::vector<std::string> Store::Engine::weaker_promises() const {
  return redis::weaker_promises(link_.settings().value_or(ServerSettings()), url_.topology);
}

void Store::Engine::die(const std::string& reason) {
  writes_.stop();
  reads_.stop();
  options_.fatal(reason);
}

}  // namespace ganglion::redis
