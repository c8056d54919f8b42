#include "adapters/postgres/promises.h"

#include <array>

namespace ganglion::postgres {
namespace {

// In the order of the columns.
constexpr std::array kWeaker = {
    "fsync is off in PostgreSQL: a power loss may lose commits, or the whole database",
    "full_page_writes is off in PostgreSQL: a power loss may damage the database",
    "PostgreSQL's standbys are asynchronous (synchronous_standby_names is empty): a failover may lose the "
    "last "
    "commits"};

}  // namespace

const Statement kAskPromises{
    "ask_promises",
    "SELECT current_setting('fsync') = 'off', current_setting('full_page_writes') = 'off', "
    "current_setting('synchronous_standby_names') = '' AND EXISTS (SELECT FROM pg_stat_replication)"};

std::vector<std::string> weaker_promises_of(const PGresult& answer) {
  std::vector<std::string> weaker;
  const Row row(answer, 0);
  for (std::size_t i = 0; i < kWeaker.size(); ++i) {
    if (row.boolean(static_cast<int>(i))) weaker.emplace_back(kWeaker[i]);
  }
  return weaker;
}

}  // namespace ganglion::postgres
