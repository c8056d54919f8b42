// The store's outbox, and the growth of journals that somebody copies.

#include <algorithm>
#include <utility>

#include "adapters/redis/codec.h"
#include "adapters/redis/engine.h"
#include "adapters/redis/store.h"
#include "base/assert.h"

namespace ganglion::redis {
namespace {

Packer operation(std::string_view name, std::size_t fields) {
  Packer packer;
  packer.map(1 + fields).text("op").text(name);
  return packer;
}

void pack_positions(Packer& packer, const std::vector<JournalPosition>& positions) {
  GANGLION_ASSERT(positions.size() <= kMaxOutboxRuns);
  packer.array(positions.size());
  for (const JournalPosition& position : positions)
    packer.array(2).text(position.run.text()).number(position.seq);
}

Result<void> nothing(Unpacker&) {
  return {};
}

Result<std::vector<RunId>> read_runs(Unpacker& answer) {
  std::vector<RunId> runs;
  for (std::size_t left = answer.array(); left > 0 && answer.intact(); --left) {
    const std::optional<RunId> run = RunId::parse(answer.text());
    if (!run) return std::unexpected(damaged("the outbox"));
    runs.push_back(*run);
  }
  if (!answer.intact()) return std::unexpected(damaged("the outbox"));
  return runs;
}

}  // namespace

void Store::turn_outbox_on(Completion<Result<void>> done) {
  const auto read = [](Unpacker& answer) -> Result<void> {
    if (answer.boolean()) return {};
    return fail("store_unavailable",
                "Redis doesn't tell its user the time, which the outbox needs: allow `+time`");
  };
  engine_->write<void>(operation("turn_outbox_on", 0).take(), read, std::move(done));
}

void Store::put_into_outbox(std::vector<RunId> runs, Completion<Result<void>> done) {
  GANGLION_ASSERT(runs.size() <= kMaxOutboxRuns);
  Packer put = operation("put_into_outbox", 1);
  put.text("runs").array(runs.size());
  for (const RunId& run : runs) put.text(run.text());
  engine_->write<void>(put.take(), nothing, std::move(done));
}

void Store::take_from_outbox(std::uint32_t limit, Duration lease,
                             Completion<Result<std::vector<RunId>>> done) {
  GANGLION_ASSERT(limit <= kMaxOutboxRuns && lease <= kMaxOutboxLease);
  Packer take = operation("take_from_outbox", 3);
  take.text("limit").number(limit).text("lease").integer(lease.count());
  take.text("longest_lease").integer(kMaxOutboxLease.count());
  engine_->write<std::vector<RunId>>(take.take(), read_runs, std::move(done));
}

void Store::settle_outbox(std::vector<JournalPosition> copied, Completion<Result<void>> done) {
  Packer settle = operation("settle_outbox", 1);
  pack_positions(settle.text("copied"), copied);
  engine_->write<void>(settle.take(), nothing, std::move(done));
}

void Store::count_outbox(Completion<Result<std::uint64_t>> done) {
  const auto read = [](const Reply& reply) -> Result<std::uint64_t> {
    return std::min(static_cast<std::uint64_t>(reply.integer), kMaxOutboxCount);
  };
  engine_->ask<std::uint64_t>(command({"ZCARD", engine_->key("outbox")}), read, std::move(done));
}

void Store::read_growth(std::vector<JournalPosition> from,
                        Completion<Result<std::vector<JournalGrowth>>> done) {
  Packer query;
  query.map(2).text("max_bytes").number(kMaxGrowthBytes).text("from");
  pack_positions(query, from);
  auto read = [from](Unpacker& answer) -> Result<std::vector<JournalGrowth>> {
    std::vector<JournalGrowth> growth;
    auto asked = from.begin();
    for (std::size_t left = answer.array(); left > 0 && answer.intact(); --left) {
      answer.array();
      auto record = unpack_run(answer);
      while (record && asked != from.end() && asked->run != record->id) ++asked;
      if (!record || asked == from.end()) return std::unexpected(damaged("a run"));
      auto entries = unpack_entries(answer, asked->seq + 1);
      if (!entries) return std::unexpected(damaged("the journal of run " + record->id.text()));
      growth.push_back({std::move(*record), std::move(*entries)});
    }
    if (!answer.intact()) return std::unexpected(damaged("journals"));
    return growth;
  };
  engine_->query<std::vector<JournalGrowth>>("read_growth", query.take(), std::move(read), std::move(done));
}

}  // namespace ganglion::redis
