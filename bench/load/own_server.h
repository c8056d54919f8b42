#pragma once

// A server of the benchmark's own: this binary as `ganglion serve`, in a folder of its own with a fresh
// store, or with a place of its own in a store's server that runs already. It ends with this process,
// whatever ends that. Several with one place share its store and bus: they are one installation.

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace ganglion::bench {

struct OwnServerOptions {
  std::filesystem::path folder;   // where the store's own folder is made
  std::string store = "sqlite:";  // memory:, or the URL of a Redis or PostgreSQL; what is written there stays
  std::optional<std::string> bus = {};       // the URL of a broker; else the one that the store implies
  std::optional<std::string> strategy = {};  // else the project's
  std::string place;                         // in store and bus: see fresh_place()
  std::string project;                       // YAML
};

// A name that no other installation of this process, or of another one, has.
std::string fresh_place();
// `url` for what is kept apart by this name: in Redis and in brokers a prefix, in PostgreSQL a schema.
std::string placed(const std::string& url, const std::string& place);

class OwnServer {
 public:
  // Blocks until it serves. Throws std::runtime_error with what it said if it doesn't.
  explicit OwnServer(const OwnServerOptions& options);
  ~OwnServer();  // ends it, and removes the folder
  OwnServer(const OwnServer&) = delete;
  OwnServer& operator=(const OwnServer&) = delete;

  pid_t pid() const { return pid_; }
  std::uint16_t port() const { return port_; }
  // What the store promises less of than it should, such as in a folder that is memory.
  std::vector<std::string> weaker_promises() const;
  // How often it has logged that a member was gone, and what that meant had been dealt with.
  std::size_t members_lost() const;
  // As a crash would.
  void kill() noexcept;

 private:
  void launch(const OwnServerOptions& options);
  void wait_until_it_serves();
  void end() noexcept;
  std::string said() const;

  std::filesystem::path folder_;
  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
};

}  // namespace ganglion::bench
