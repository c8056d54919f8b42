#include <stdlib.h>

#include <cstdlib>

#include "adapters/memory/store.h"
#include "adapters/postgres/store.h"
#include "adapters/redis/store.h"
#include "adapters/sqlite/store.h"
#include "contract/store_contract.h"
#include "servers/postgres_server.h"
#include "servers/redis_server.h"

namespace ganglion::testing {
namespace {

std::filesystem::path fresh_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "ganglion-store-XXXXXX").string();
  EXPECT_NE(::mkdtemp(name.data()), nullptr);
  return name;
}

std::unique_ptr<Store> open_sqlite(TestLoop& loop, const std::filesystem::path& folder) {
  sqlite::Options options{.path = folder / "ganglion.db",
                          .post_from_thread = loop.poster(),
                          .fatal = [](const std::string& why) { ADD_FAILURE() << why; },
                          .vfs = {}};
  return sqlite::Store::open(std::move(options)).value();
}

std::unique_ptr<Store> open_memory(TestLoop& loop, const std::filesystem::path&) {
  return std::make_unique<memory::Store>(loop.clock());
}

// One server for all tests, each in a schema of its own. What a crash leaves is not the matter here.
std::unique_ptr<Store> open_postgres(TestLoop& loop, const std::filesystem::path&) {
  static const PostgresServer server({.fsync = "off"});
  static int schemas = 0;
  postgres::Options options{.url = server.url() + "?schema=contract_" + std::to_string(++schemas),
                            .fatal = [](const std::string& why) { ADD_FAILURE() << why; }};
  return postgres::Store::open(loop.context(), std::move(options)).value();
}

// One server for all tests, each under a prefix of its own.
std::unique_ptr<Store> open_redis(TestLoop& loop, const std::filesystem::path& folder) {
  static const RedisServer server;
  redis::Options options{.url = server.url() + "?prefix=" + folder.filename().string(),
                         .fatal = [](const std::string& why) { ADD_FAILURE() << why; }};
  return redis::Store::open(loop.context(), std::move(options)).value();
}

}  // namespace

std::vector<StoreAdapter> store_adapters() {
  std::vector<StoreAdapter> adapters = {{"memory", open_memory}, {"sqlite", open_sqlite}};
  if (is_installed(PostgresServer::kProgram)) adapters.push_back({"postgres", open_postgres});
  if (is_installed(RedisServer::kProgram)) adapters.push_back({"redis", open_redis});
  return adapters;
}

TEST(StoreAdapters, AreAllHere) {
  if (!is_installed(PostgresServer::kProgram))
    GTEST_SKIP() << "Debian package postgresql-15 is not installed";
  if (!is_installed(RedisServer::kProgram)) GTEST_SKIP() << "Debian package redis-server is not installed";
}

StoreContract::StoreContract()
    : folder_(fresh_folder()), store_(GetParam().open(loop_, folder_)), driver_(loop_, *store_) {}

StoreContract::~StoreContract() {
  store_.reset();
  std::filesystem::remove_all(folder_);
}

RunId StoreContract::started(std::uint64_t number) {
  const RunId run = run_number(number);
  EXPECT_TRUE(is_committed(driver_.commit(start_of(run))));
  return run;
}

INSTANTIATE_TEST_SUITE_P(Adapters, StoreContract, ::testing::ValuesIn(store_adapters()),
                         [](const auto& info) { return info.param.name; });

}  // namespace ganglion::testing
