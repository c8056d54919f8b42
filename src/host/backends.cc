#include "host/backends.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "adapters/memory/store.h"
#include "adapters/nats/bus.h"
#include "adapters/nats/url.h"
#include "adapters/postgres/audit.h"
#include "adapters/postgres/store.h"
#include "adapters/postgres/url.h"
#include "adapters/rabbitmq/bus.h"
#include "adapters/rabbitmq/url.h"
#include "adapters/redis/bus.h"
#include "adapters/redis/store.h"
#include "adapters/redis/url.h"
#include "adapters/sqlite/store.h"

namespace ganglion {
namespace {

constexpr int kDurabilityUnknown = 70;  // exit code after a failed fsync, or what a server has lost
constexpr std::string_view kSqlite = "sqlite:";

[[noreturn]] void stop_with_durability_unknown(const std::string& reason) {
  std::fprintf(stderr, "ganglion: stopped, because it is unknown what is durable: %s\n", reason.c_str());
  _exit(kDurabilityUnknown);
}

template <typename Opened>
Result<OpenStore> server_store(Result<std::unique_ptr<Opened>> opened) {
  if (!opened) return std::unexpected(std::move(opened.error()));
  return OpenStore{.store = *std::move(opened)};
}

Result<OpenStore> sqlite_store(const std::string& path, AsioLoop& loop) {
  auto opened = sqlite::Store::open(
      {.path = path,
       .post_from_thread =
           [&loop](std::move_only_function<void()> callback) { loop.post_from_thread(std::move(callback)); },
       .fatal = stop_with_durability_unknown,
       .vfs = {}});
  if (!opened) return std::unexpected(std::move(opened.error()));
  sqlite::Store* sqlite = opened->get();
  return OpenStore{.store = *std::move(opened), .sqlite = sqlite, .sharing = StoreSharing::alone};
}

}  // namespace

Result<OpenStore> open_store(const std::string& url, asio::io_context& context, AsioLoop& loop) {
  if (url == "memory:") {
    return OpenStore{.store = std::make_unique<memory::Store>(loop), .sharing = StoreSharing::alone};
  }
  if (url.starts_with(kSqlite)) return sqlite_store(url.substr(kSqlite.size()), loop);
  if (redis::is_url(url)) {
    return server_store(redis::Store::open(context, {.url = url, .fatal = stop_with_durability_unknown}));
  }
  if (postgres::is_url(url)) {
    return server_store(postgres::Store::open(context, {.url = url, .fatal = stop_with_durability_unknown}));
  }
  return fail("unknown_store", "\"" + url +
                                   "\" is no store of this version; write sqlite:PATH, redis://HOST, "
                                   "postgres://HOST/DATABASE or memory:");
}

Result<std::unique_ptr<Bus>> open_bus(const std::string& url, asio::io_context& context) {
  if (url == kEmbeddedBus) return nullptr;
  if (redis::is_url(url)) return redis::Bus::open(context, {.url = url});
  if (rabbitmq::is_url(url)) return rabbitmq::Bus::open(context, {.url = url});
  if (nats::is_url(url)) return nats::Bus::open(context, {.url = url});
  return fail("unknown_bus",
              "\"" + url.substr(0, url.find(':') + 1) +
                  "\" is no bus of this version; write embedded:, redis://HOST, amqp://HOST or "
                  "nats://HOST");
}

Result<std::unique_ptr<Audit>> open_audit(const std::string& url, asio::io_context& context) {
  return postgres::Audit::open(context, url);
}

}  // namespace ganglion
