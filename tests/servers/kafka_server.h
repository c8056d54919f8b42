#pragma once

// Apache Kafka 3.9, one node without ZooKeeper, as a test wants it: Debian's Java and the jars that
// scripts/fetch-kafka has put beside the sources' world.

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "servers/port_lease.h"
#include "servers/server_process.h"

namespace ganglion::testing {

class KafkaServer {
 public:
  static constexpr const char* kPackages = "openjdk-17-jre-headless, and Kafka itself (scripts/fetch-kafka)";

  static bool is_installed();

  // Starts it.
  KafkaServer();

  std::uint16_t port() const { return process_.port(); }
  ServerProcess& process() { return process_; }

  // Clients connect to the address that a broker says of itself, so whoever wants to stand between has an
  // address of the broker's to himself: clients come to `outside`, which is to be led to `inside`.
  struct Gate {
    std::uint16_t inside;
    std::uint16_t outside;
  };
  // One after the other, and the first again after the last.
  Gate next_gate();

  // Gives all topics with this word in their names these settings, and otherwise what the broker has by
  // default. What is wrong, or nothing.
  std::string configure(const std::string& word,
                        const std::vector<std::pair<std::string, std::string>>& settings) const;

 private:
  struct Leases {
    PortLease inside;
    PortLease outside;
  };

  std::string properties(std::uint16_t port, const std::filesystem::path& folder) const;

  PortLease controller_;
  std::vector<Leases> gates_;
  std::size_t turn_ = 0;
  ServerProcess process_;
};

}  // namespace ganglion::testing
