#include "servers/rabbit_server.h"

#include <filesystem>
#include <fstream>

namespace ganglion::testing {
namespace {

constexpr const char* kControl = "/usr/lib/rabbitmq/bin/rabbitmqctl";

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path) << text;
}

}  // namespace

RabbitServer::RabbitServer()
    : names_({.command =
                  [](std::uint16_t port, const std::filesystem::path&) {
                    return std::vector<std::string>{"epmd", "-port", std::to_string(port), "-address",
                                                    "127.0.0.1"};
                  }}),
      process_({.command = [this](std::uint16_t port, const std::filesystem::path& folder) {
        write_file(folder / "rabbitmq.conf",
                   "listeners.tcp.1 = 127.0.0.1:" + std::to_string(port) + "\nlog.console.level = warning\n");
        write_file(folder / "enabled_plugins", "[].\n");
        std::vector<std::string> command = environment(port, folder);
        command.emplace_back(kProgram);
        return command;
      }}) {
  names_.start();
  process_.start();
}

std::string RabbitServer::url_at(std::uint16_t port) {
  return "amqp://guest:guest@127.0.0.1:" + std::to_string(port);
}

bool RabbitServer::control(const std::vector<std::string>& words) {
  std::vector<std::string> command = environment(port(), process_.folder());
  command.emplace_back(kControl);
  command.insert(command.end(), words.begin(), words.end());
  return process_.run(command) == 0;
}

// Everything that would otherwise be the machine's. KEEP_PID makes the script become the server, so that the
// server dies with the test.
std::vector<std::string> RabbitServer::environment(std::uint16_t port,
                                                   const std::filesystem::path& folder) const {
  const std::string home = folder.string();
  return {"env",
          "HOME=" + home,
          "ERL_EPMD_PORT=" + std::to_string(names_.port()),
          "ERL_EPMD_ADDRESS=127.0.0.1",
          "RUNNING_UNDER_SYSTEMD=1",
          "RABBITMQ_NODENAME=test" + std::to_string(port) + "@localhost",
          "RABBITMQ_DIST_PORT=" + std::to_string(distribution_port_.port()),
          "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none",
          "RABBITMQ_CONF_ENV_FILE=" + home + "/none.conf",
          "RABBITMQ_CONFIG_FILE=" + home + "/rabbitmq.conf",
          "RABBITMQ_ADVANCED_CONFIG_FILE=" + home + "/none.config",
          "RABBITMQ_ENABLED_PLUGINS_FILE=" + home + "/enabled_plugins",
          "RABBITMQ_MNESIA_BASE=" + home + "/mnesia",
          "RABBITMQ_LOG_BASE=" + home,
          "RABBITMQ_LOGS=-",
          "RABBITMQ_PID_FILE=" + home + "/pid"};
}

}  // namespace ganglion::testing
