#include "adapters/redis/testing/lossy_proxy.h"

#include <array>
#include <utility>

#include "base/asio/asio.h"

namespace ganglion::redis::testing {
namespace {

using boost::system::error_code;

asio::ip::tcp::endpoint loopback(std::uint16_t port) {
  return {asio::ip::address_v4::loopback(), port};
}

}  // namespace

class LossyProxy::Wires : public std::enable_shared_from_this<Wires> {
 public:
  Wires(asio::io_context& context, std::uint16_t port, std::uint16_t server_port)
      : context_(context), acceptor_(context.get_executor(), loopback(port)), server_port_(server_port) {}

  void accept() {
    auto wire = std::make_shared<Wire>(context_);
    acceptor_.async_accept(wire->client, [self = shared_from_this(), wire](error_code error) {
      if (error) return;
      wire->server.connect(loopback(self->server_port_), error);
      if (!error) {
        self->carry(wire, wire->client, wire->server, wire->asked, false);
        self->carry(wire, wire->server, wire->client, wire->answered, true);
      }
      self->accept();
    });
  }

  void close() { acceptor_.close(); }

  int until_loss = -1;  // answers that still arrive; -1: all of them
  int lost = 0;

 private:
  struct Wire {
    explicit Wire(asio::io_context& context)
        : client(context.get_executor()), server(context.get_executor()) {}
    LoopSocket client;
    LoopSocket server;
    std::array<char, 64 << 10> asked;
    std::array<char, 64 << 10> answered;
  };

  void carry(std::shared_ptr<Wire> wire, LoopSocket& from, LoopSocket& to, std::array<char, 64 << 10>& bytes,
             bool answers) {
    from.async_read_some(asio::buffer(bytes), [self = shared_from_this(), wire, &from, &to, &bytes, answers](
                                                  error_code error, std::size_t size) {
      if (!error && answers && self->until_loss >= 0 && self->until_loss-- == 0) {
        ++self->lost;
        error = asio::error::connection_reset;
      }
      if (!error) asio::write(to, asio::buffer(bytes, size), error);
      if (error) {
        wire->client.close(error);
        wire->server.close(error);
        return;
      }
      self->carry(wire, from, to, bytes, answers);
    });
  }

  asio::io_context& context_;
  LoopAcceptor acceptor_;
  std::uint16_t server_port_;
};

LossyProxy::LossyProxy(asio::io_context& context, std::uint16_t server_port)
    : wires_(std::make_shared<Wires>(context, port_.port(), server_port)) {
  wires_->accept();
}

LossyProxy::~LossyProxy() {
  wires_->close();
}

std::string LossyProxy::url() const {
  return "redis://127.0.0.1:" + std::to_string(port_.port());
}

void LossyProxy::lose_an_answer(int after) {
  wires_->until_loss = after;
}

int LossyProxy::lost() const {
  return wires_->lost;
}

}  // namespace ganglion::redis::testing
