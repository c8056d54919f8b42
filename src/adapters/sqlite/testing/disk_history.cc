#include "adapters/sqlite/testing/disk_history.h"

#include <algorithm>
#include <utility>

namespace ganglion::sqlite::testing {
namespace {

constexpr std::size_t kSector = 512;

void write_to(DiskImage& image, const std::string& path, std::string_view bytes, std::uint64_t at) {
  std::string& file = image[path];
  if (bytes.empty()) return;
  if (file.size() < at + bytes.size()) file.resize(at + bytes.size());
  file.replace(at, bytes.size(), bytes);
}

void apply_to(DiskImage& image, const DiskChange& change) {
  switch (change.kind) {
    case DiskChange::Kind::write:
      return write_to(image, change.path, change.bytes, change.offset);
    case DiskChange::Kind::truncate:
      image[change.path].resize(change.offset);
      return;
    case DiskChange::Kind::remove:
      image.erase(change.path);
      return;
    case DiskChange::Kind::sync:
      return;
  }
}

// The length of a write at `offset` up to its first sector boundary; all of it where it crosses none.
std::size_t to_boundary(const DiskChange& change) {
  return std::min<std::size_t>(change.bytes.size(), kSector - change.offset % kSector);
}

void apply_every_other_sector(DiskImage& image, const DiskChange& change) {
  if (change.kind != DiskChange::Kind::write) return;
  const std::string_view bytes = change.bytes;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t length =
        std::min<std::size_t>(bytes.size() - at, kSector - (change.offset + at) % kSector);
    if ((change.offset + at) / kSector % 2 == 0)
      write_to(image, change.path, bytes.substr(at, length), change.offset + at);
    at += length;
  }
}

bool arrives(Arrival arrival, const DiskChange& change, std::size_t index, std::size_t count) {
  const bool database = change.path.ends_with(".db");
  switch (arrival) {
    case Arrival::none:
      return false;
    case Arrival::first_half:
      return index < (count + 1) / 2;
    case Arrival::all_but_first:
      return index > 0;
    case Arrival::every_second:
      return index % 2 == 1;
    case Arrival::last_cut_at_sector:
    case Arrival::every_other_sector:
      return true;
    case Arrival::log_only:
      return !database;
    case Arrival::database_only:
      return database;
  }
  return false;
}

}  // namespace

const char* name_of(Arrival arrival) {
  constexpr std::array kNames = {"none",         "first half",           "all but the first",
                                 "every second", "last cut at a sector", "every other sector",
                                 "log only",     "database only"};
  return kNames[static_cast<std::size_t>(arrival)];
}

DiskHistory::DiskHistory(DiskImage start) : current_(start), durable_(std::move(start)) {}

void DiskHistory::apply(const DiskChange& change) {
  apply_to(current_, change);
  switch (change.kind) {
    case DiskChange::Kind::write:
    case DiskChange::Kind::truncate:
      pending_.push_back(change);
      return;
    case DiskChange::Kind::remove:
      // What wasn't synced of it is lost with the name, or comes back as it was when it was last synced.
      std::erase_if(pending_, [&](const DiskChange& c) { return c.path == change.path; });
      if (const auto found = durable_.find(change.path); found != durable_.end()) {
        removed_.insert_or_assign(change.path, found->second);
        durable_.erase(found);
      }
      return;
    case DiskChange::Kind::sync: {
      const bool is_new = !durable_.contains(change.path);
      for (const DiskChange& c : pending_)
        if (c.path == change.path) apply_to(durable_, c);
      std::erase_if(pending_, [&](const DiskChange& c) { return c.path == change.path; });
      // The names in the folder are durable with that of a new file.
      if (is_new && durable_.contains(change.path)) removed_.clear();
      return;
    }
  }
}

DiskImage DiskHistory::torn(const DiskChange& next, std::size_t bytes) const {
  DiskImage image = current_;
  write_to(image, next.path, std::string_view(next.bytes).substr(0, bytes), next.offset);
  return image;
}

DiskImage DiskHistory::after_power_loss(Arrival arrival) const {
  DiskImage image = durable_;
  for (const auto& [path, bytes] : removed_)
    if (!image.contains(path)) image.emplace(path, bytes);
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    const DiskChange& change = pending_[i];
    if (!arrives(arrival, change, i, pending_.size())) continue;
    if (arrival == Arrival::every_other_sector) {
      apply_every_other_sector(image, change);
    } else if (arrival == Arrival::last_cut_at_sector && i + 1 == pending_.size() &&
               change.kind == DiskChange::Kind::write) {
      write_to(image, change.path, std::string_view(change.bytes).substr(0, to_boundary(change)),
               change.offset);
    } else {
      apply_to(image, change);
    }
  }
  return image;
}

}  // namespace ganglion::sqlite::testing
