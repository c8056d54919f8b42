#include "servers/wire.h"

#include <array>
#include <utility>
#include <vector>

#include "base/asio/asio.h"

namespace ganglion::testing {
namespace {

using boost::system::error_code;

asio::ip::tcp::endpoint loopback(std::uint16_t port) {
  return {asio::ip::address_v4::loopback(), port};
}

}  // namespace

// Shared with the handlers that wait in Asio.
class Wire::Strands : public std::enable_shared_from_this<Strands> {
 public:
  Strands(asio::io_context& context, std::uint16_t port, std::uint16_t server_port)
      : context_(context), acceptor_(context.get_executor(), loopback(port)), server_port_(server_port) {}

  void accept() {
    auto strand = std::make_shared<Strand>(context_);
    acceptor_.async_accept(strand->client, [self = shared_from_this(), strand](error_code error) {
      if (error) return;
      self->strands_.push_back(strand);
      strand->server.connect(loopback(self->server_port_), error);
      if (error) return strand->end();
      carry(strand, strand->client, strand->server, strand->asked);
      carry(strand, strand->server, strand->client, strand->answered);
      self->accept();
    });
  }

  void close() {
    error_code ignored;
    acceptor_.close(ignored);
    for (const auto& strand : std::exchange(strands_, {})) strand->end();
  }

 private:
  using Buffer = std::array<char, 64 << 10>;
  struct Strand {
    explicit Strand(asio::io_context& context)
        : client(context.get_executor()), server(context.get_executor()) {}
    void end() {
      error_code ignored;
      client.close(ignored);
      server.close(ignored);
    }
    LoopSocket client;
    LoopSocket server;
    Buffer asked;
    Buffer answered;
  };

  static void carry(std::shared_ptr<Strand> strand, LoopSocket& from, LoopSocket& to, Buffer& bytes) {
    from.async_read_some(asio::buffer(bytes),
                         [strand, &from, &to, &bytes](error_code error, std::size_t size) {
                           if (error) return strand->end();
                           asio::async_write(to, asio::buffer(bytes, size),
                                             [strand, &from, &to, &bytes](error_code broken, std::size_t) {
                                               if (broken) return strand->end();
                                               carry(strand, from, to, bytes);
                                             });
                         });
  }

  asio::io_context& context_;
  LoopAcceptor acceptor_;
  const std::uint16_t server_port_;
  std::vector<std::shared_ptr<Strand>> strands_;
};

Wire::Wire(asio::io_context& context, std::uint16_t server_port)
    : context_(context), server_port_(server_port), lease_(PortLease()), port_(lease_->port()) {
  mend();
}

Wire::Wire(asio::io_context& context, std::uint16_t server_port, std::uint16_t port)
    : context_(context), server_port_(server_port), port_(port) {
  mend();
}

Wire::~Wire() {
  cut();
}

void Wire::cut() {
  if (strands_) strands_->close();
  strands_.reset();
}

void Wire::mend() {
  strands_ = std::make_shared<Strands>(context_, port(), server_port_);
  strands_->accept();
}

}  // namespace ganglion::testing
