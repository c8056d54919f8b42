#include "servers/nats_server.h"

#include <nats/nats.h>

#include <fstream>
#include <memory>

namespace ganglion::testing {
namespace {

constexpr std::int64_t kPatienceMs = 20'000;

ServerOptions server_options(NatsOptions options) {
  return {.command = [options = std::move(options)](std::uint16_t port, const std::filesystem::path& folder) {
    const std::filesystem::path file = folder / "nats.conf";
    std::ofstream config(file);
    config << "listen: \"127.0.0.1:" << port << "\"\nmax_payload: " << options.max_payload << '\n';
    if (!options.max_file_store.empty())
      config << "jetstream {\n  store_dir: \"" << folder.string()
             << "/store\"\n  max_file_store: " << options.max_file_store << "\n}\n";
    for (const std::string& line : options.lines) config << line << '\n';
    return std::vector<std::string>{NatsServer::kProgram, "--config", file.string()};
  }};
}

}  // namespace

NatsServer::NatsServer(NatsOptions options) : process_(server_options(std::move(options))) {
  process_.start();
}

std::string NatsServer::url() const {
  return "nats://127.0.0.1:" + std::to_string(port());
}

void NatsServer::wipe() {
  process_.stop();
  std::filesystem::remove_all(process_.folder() / "store");
  process_.start();
}

std::string NatsServer::request(const std::string& subject, std::string_view body) const {
  natsConnection* opened = nullptr;
  natsStatus status = natsConnection_ConnectTo(&opened, url().c_str());
  const std::unique_ptr<natsConnection, decltype(&natsConnection_Destroy)> connection(opened,
                                                                                      natsConnection_Destroy);
  if (status != NATS_OK) return std::string("-") + natsStatus_GetText(status);
  natsMsg* got = nullptr;
  status = natsConnection_Request(&got, connection.get(), subject.c_str(), body.data(),
                                  static_cast<int>(body.size()), kPatienceMs);
  const std::unique_ptr<natsMsg, decltype(&natsMsg_Destroy)> answer(got, natsMsg_Destroy);
  if (status != NATS_OK) return std::string("-") + natsStatus_GetText(status);
  return {natsMsg_GetData(answer.get()), static_cast<std::size_t>(natsMsg_GetDataLength(answer.get()))};
}

}  // namespace ganglion::testing
