#include "servers/redis_server.h"

#include <hiredis/hiredis.h>
#include <sys/time.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <thread>

namespace ganglion::testing {
namespace {

constexpr timeval kPatience{.tv_sec = 20, .tv_usec = 0};

std::string text_of(const redisReply& reply) {
  switch (reply.type) {
    case REDIS_REPLY_INTEGER:
      return std::to_string(reply.integer);
    case REDIS_REPLY_ERROR:
      return "-" + std::string(reply.str, reply.len);
    case REDIS_REPLY_ARRAY: {
      std::string text;
      for (std::size_t i = 0; i < reply.elements; ++i)
        text += (i > 0 ? "\n" : "") + text_of(*reply.element[i]);
      return text;
    }
    case REDIS_REPLY_NIL:
      return {};
    default:
      return std::string(reply.str, reply.len);
  }
}

// Once: a sentinel keeps what it learns there.
void write_sentinel_file(const std::filesystem::path& path, const std::vector<std::string>& lines) {
  if (std::filesystem::exists(path)) return;
  std::ofstream file(path);
  for (const std::string& line : lines) file << line << '\n';
}

ServerOptions server_options(RedisOptions options, std::uint16_t bus_port) {
  return {.command = [options = std::move(options), bus_port](std::uint16_t port,
                                                              const std::filesystem::path& folder) {
    std::vector<std::string> command{RedisServer::kProgram};
    if (!options.sentinel.empty()) {
      const std::filesystem::path file = folder / "sentinel.conf";
      write_sentinel_file(file, options.sentinel);
      command.insert(command.end(), {file.string(), "--sentinel"});
    } else {
      command.insert(command.end(), {"--appendonly", options.appendonly, "--appendfsync", options.appendfsync,
                                     "--maxmemory-policy", options.maxmemory_policy, "--save", options.save,
                                     "--cluster-port", std::to_string(bus_port)});
    }
    command.insert(command.end(), {"--port", std::to_string(port), "--bind", "127.0.0.1", "--dir",
                                   folder.string(), "--daemonize", "no"});
    command.insert(command.end(), options.arguments.begin(), options.arguments.end());
    return command;
  }};
}

}  // namespace

RedisServer::RedisServer(RedisOptions options)
    : process_(server_options(std::move(options), bus_port_.port())) {
  process_.start();
  await_loaded();
}

void RedisServer::await_loaded() const {
  while (command({"PING"}).starts_with("-LOADING")) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

std::string RedisServer::url() const {
  return "redis://" + address();
}

std::string RedisServer::address() const {
  return "127.0.0.1:" + std::to_string(port());
}

std::string RedisServer::command(const std::vector<std::string>& words) const {
  const std::unique_ptr<redisContext, decltype(&redisFree)> context(
      redisConnectWithTimeout("127.0.0.1", port(), kPatience), redisFree);
  if (!context || context->err != 0) return "-unreachable";
  redisSetTimeout(context.get(), kPatience);
  std::vector<const char*> arguments;
  std::vector<std::size_t> sizes;
  for (const std::string& word : words) {
    arguments.push_back(word.data());
    sizes.push_back(word.size());
  }
  auto* reply = static_cast<redisReply*>(
      redisCommandArgv(context.get(), static_cast<int>(words.size()), arguments.data(), sizes.data()));
  if (reply == nullptr) return "-unreachable";
  std::string text = text_of(*reply);
  freeReplyObject(reply);
  return text;
}

}  // namespace ganglion::testing
