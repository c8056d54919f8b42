#include "adapters/sqlite/page_rewrite.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "adapters/sqlite/schema.h"

namespace ganglion::sqlite {
namespace {

Error cannot_rewrite(const std::filesystem::path& path, const std::string& why) {
  return {"store_unavailable", "can't rewrite " + path.string() + " with checks of its pages: " + why +
                                   ". It is as it was; the rewriting needs as much space again"};
}

// An empty file for SQLite to fill; with its mode, which SQLite would take from the umask.
Result<void> make_empty(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return std::unexpected(cannot_rewrite(path, std::strerror(errno)));
  ::close(descriptor);
  return {};
}

// Of a file, or of a folder's names.
bool sync_path(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool synced = ::fsync(descriptor) == 0;
  ::close(descriptor);
  return synced;
}

std::string quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace

Result<void> rewrite_with_checks(Database database, const std::filesystem::path& path) {
  std::filesystem::path copy = path;
  copy += "-rewritten";
  if (const Result<void> made = make_empty(copy); !made) return made;
  const auto give_up = [&](const std::string& why) -> Result<void> {
    std::error_code ignored;
    std::filesystem::remove(copy, ignored);
    return std::unexpected(cannot_rewrite(path, why));
  };
  const std::string sql = "VACUUM INTO " + quoted(copy.string());
  if (const auto copied = database.execute(sql.c_str()); !copied) {
    if (copied.error().is_corruption()) {
      static_cast<void>(give_up({}));
      return std::unexpected(open_error(path.string(), copied.error()));
    }
    return give_up(copied.error().message);
  }
  // Closing moves the log into the old file and removes it; a log that stays would be taken for the new
  // one's.
  {
    const Database closed = std::move(database);
  }
  std::filesystem::path log = path;
  log += "-wal";
  if (std::filesystem::exists(log)) return give_up("its log can't be moved into it");
  if (!sync_path(copy)) return give_up(std::strerror(errno));
  std::error_code renamed;
  std::filesystem::rename(copy, path, renamed);
  if (renamed) return give_up(renamed.message());
  if (!sync_path(path.parent_path())) return std::unexpected(cannot_rewrite(path, std::strerror(errno)));
  return {};
}

}  // namespace ganglion::sqlite
