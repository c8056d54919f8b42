#pragma once

// The contract of ports/store.h as a suite. An adapter joins by adding a factory to store_adapters.cc.

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "contract/store_driver.h"

namespace ganglion::testing {

struct StoreAdapter {
  std::string name;
  // `folder` is empty and lives as long as the store.
  std::function<std::unique_ptr<Store>(TestLoop& loop, const std::filesystem::path& folder)> open;
};

std::vector<StoreAdapter> store_adapters();

class StoreContract : public ::testing::TestWithParam<StoreAdapter> {
 protected:
  StoreContract();
  ~StoreContract() override;

  // A run with one event that the store has.
  RunId started(std::uint64_t number);

  std::filesystem::path folder_;
  TestLoop loop_;
  std::unique_ptr<Store> store_;
  StoreDriver driver_;
};

}  // namespace ganglion::testing
