#include "adapters/sqlite/process_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <utility>

namespace ganglion::sqlite {
namespace {

std::string lock_path(const std::string& database_path) {
  return database_path + ".lock";
}
std::string endpoint_path(const std::string& database_path) {
  return database_path + ".endpoint";
}

struct flock whole_file() {
  struct flock range{};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  return range;
}

std::string first_line_of(const std::string& path) {
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  return line;
}

Error locked(const std::string& database_path) {
  const std::string owner = first_line_of(lock_path(database_path));
  std::string message = database_path + " is in use by ";
  message += owner.empty() ? std::string("another process") : "process " + owner;
  if (const auto url = find_endpoint(database_path)) message += ", the server at " + *url;
  return {"store_locked", message + "; talk to that server, or stop it first"};
}

Error unavailable(const std::string& what, const std::string& path) {
  return {"store_unavailable", what + " " + path + ": " + std::strerror(errno)};
}

bool write_all(int descriptor, const std::string& text) {
  return ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

}  // namespace

Result<ProcessLock> ProcessLock::acquire(const std::string& database_path) {
  const std::string path = lock_path(database_path);
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return std::unexpected(unavailable("can't open", path));
  ProcessLock lock(database_path, descriptor);
  struct flock range = whole_file();
  if (::fcntl(descriptor, F_OFD_SETLK, &range) != 0) {
    const bool held = errno == EAGAIN || errno == EACCES;
    Error error = held ? locked(database_path) : unavailable("can't lock", path);
    ::close(std::exchange(lock.descriptor_, -1));  // what the owner has published stays
    return std::unexpected(std::move(error));
  }
  ::unlink(endpoint_path(database_path).c_str());  // of an owner that crashed
  // The id is only a hint for people: on a full disk the lock does without.
  if (::ftruncate(descriptor, 0) == 0)
    static_cast<void>(write_all(descriptor, std::to_string(::getpid()) + "\n"));
  return lock;
}

ProcessLock::ProcessLock(ProcessLock&& other) noexcept
    : database_path_(std::move(other.database_path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

ProcessLock::~ProcessLock() {
  if (descriptor_ < 0) return;
  ::unlink(endpoint_path(database_path_).c_str());
  static_cast<void>(::ftruncate(descriptor_, 0) == 0);
  ::close(descriptor_);
}

Result<void> ProcessLock::publish_endpoint(const std::string& url) {
  // Under a name of its own first, so that nobody reads half a URL.
  const std::string path = endpoint_path(database_path_);
  const std::string draft = path + ".new";
  const int descriptor = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return std::unexpected(unavailable("can't write", draft));
  const bool written = write_all(descriptor, url + "\n");
  ::close(descriptor);
  if (!written || std::rename(draft.c_str(), path.c_str()) != 0)
    return std::unexpected(unavailable("can't write", path));
  return {};
}

std::optional<std::string> find_endpoint(const std::string& database_path) {
  const int descriptor = ::open(lock_path(database_path).c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return std::nullopt;
  struct flock range = whole_file();
  const bool asked = ::fcntl(descriptor, F_OFD_GETLK, &range) == 0;
  ::close(descriptor);
  if (!asked || range.l_type == F_UNLCK) return std::nullopt;  // whoever wrote the file is gone
  std::string url = first_line_of(endpoint_path(database_path));
  if (url.empty()) return std::nullopt;
  return url;
}

}  // namespace ganglion::sqlite
