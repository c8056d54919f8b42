#include "adapters/redis/durability.h"

namespace ganglion::redis {
namespace {

void add_persistence(const ServerSettings& settings, std::vector<std::string>& lines) {
  if (settings.appendonly != "yes") {
    lines.push_back(
        settings.save.empty()
            ? "Redis keeps nothing on disk: all is lost when it ends; set `appendonly yes`"
            : "Redis keeps snapshots only: a crash loses what was acknowledged since the last one; set "
              "`appendonly yes`");
    return;
  }
  if (settings.appendfsync == "everysec") {
    lines.push_back(
        "Redis syncs its file once a second: a crash of its machine loses up to two seconds of what was "
        "acknowledged; set `appendfsync always`");
  } else if (settings.appendfsync != "always") {
    lines.push_back(
        "Redis leaves it to the system when its file is synced: a crash of its machine may lose half a "
        "minute of "
        "what was acknowledged; set `appendfsync always`");
  } else if (settings.no_appendfsync_on_rewrite == "yes") {
    lines.push_back(
        "Redis doesn't sync while it rewrites its file: a crash of its machine then loses what was "
        "acknowledged; "
        "set `no-appendfsync-on-rewrite no`");
  }
}

}  // namespace

std::vector<std::string> weaker_promises(const ServerSettings& settings, Topology topology) {
  std::vector<std::string> lines;
  if (settings.known) {
    add_persistence(settings, lines);
    if (settings.maxmemory_policy != "noeviction") {
      lines.push_back("Redis may remove data when its memory is full; set `maxmemory-policy noeviction`");
    }
  } else {
    lines.push_back(
        "Redis doesn't let its settings be read (CONFIG GET): whether what it acknowledges survives a crash "
        "is "
        "unknown");
  }
  if (settings.replicated || topology != Topology::single) {
    lines.push_back(
        "Redis replicates after it has acknowledged: a failover may lose the last commits; then this process "
        "notices at its next write or connection, and ends");
  }
  return lines;
}

}  // namespace ganglion::redis
