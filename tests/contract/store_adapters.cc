#include <stdlib.h>

#include <cstdlib>

#include "adapters/memory/store.h"
#include "adapters/sqlite/store.h"
#include "contract/store_contract.h"

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

}  // namespace

std::vector<StoreAdapter> store_adapters() {
  return {{"memory", open_memory}, {"sqlite", open_sqlite}};
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
