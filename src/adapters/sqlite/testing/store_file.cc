#include "adapters/sqlite/testing/store_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <utility>

#include "adapters/sqlite/checked_vfs.h"

namespace ganglion::sqlite::testing {

StoreFile::StoreFile(const std::filesystem::path& parent) {
  std::string name = (parent / "ganglion-sqlite-XXXXXX").string();
  EXPECT_NE(::mkdtemp(name.data()), nullptr);
  folder_ = name;
  path_ = folder_ / "ganglion.db";
}

StoreFile::~StoreFile() {
  std::filesystem::remove_all(folder_);
}

Options StoreFile::options(ganglion::testing::TestLoop& loop) const {
  return {.path = path_,
          .post_from_thread = loop.poster(),
          .fatal = [](const std::string& why) { ADD_FAILURE() << why; },
          .vfs = {}};
}

Result<std::unique_ptr<Store>> StoreFile::open(ganglion::testing::TestLoop& loop) const {
  return Store::open(options(loop));
}

void StoreFile::write(const std::map<std::string, std::string>& files) {
  for (const auto& [path, bytes] : files) std::ofstream(path, std::ios::binary) << bytes;
}

void StoreFile::change(const std::string& sql) const {
  DatabaseResult<Database> database = open_checked(path_.string(), {});
  const auto changed = database ? database->execute(("PRAGMA locking_mode=EXCLUSIVE;" + sql).c_str())
                                : std::unexpected(database.error());
  EXPECT_TRUE(changed) << changed.error().message;
}

std::string StoreFile::shell(const std::string& sql) const {
  ChildProcess program({"sqlite3", path_.string(), sql});
  std::string output;
  for (const std::string& line : program.read_rest()) output += line + "\n";
  program.wait();
  return output;
}

ChildProcess::ChildProcess(const std::vector<std::string>& command) {
  std::array<int, 2> pipe{};
  EXPECT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(pipe[1], STDOUT_FILENO);
    ::dup2(pipe[1], STDERR_FILENO);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  EXPECT_GT(pid_, 0);
  ::close(pipe[1]);
  output_ = pipe[0];
}

ChildProcess::~ChildProcess() {
  if (pid_ > 0) {
    kill();
    wait();
  }
  ::close(output_);
}

bool ChildProcess::fill() {
  std::array<char, 4096> bytes;
  ssize_t got = 0;
  do got = ::read(output_, bytes.data(), bytes.size());
  while (got < 0 && errno == EINTR);
  if (got > 0) buffer_.append(bytes.data(), static_cast<std::size_t>(got));
  return got > 0;
}

std::string ChildProcess::read_line() {
  for (;;) {
    const std::size_t end = buffer_.find('\n');
    if (end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return line;
    }
    if (!fill()) return {};
  }
}

std::vector<std::string> ChildProcess::read_rest() {
  while (fill()) continue;
  std::vector<std::string> lines;
  while (buffer_.find('\n') != std::string::npos) lines.push_back(read_line());
  return lines;
}

void ChildProcess::kill() {
  ::kill(pid_, SIGKILL);
}

int ChildProcess::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace ganglion::sqlite::testing
