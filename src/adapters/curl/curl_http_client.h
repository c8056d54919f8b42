#pragma once

// The HTTP client port on libcurl's multi_socket interface, driven by Asio: libcurl says which sockets and
// which timeout it waits for, the loop tells it when they are ready. Connections are kept alive and reused;
// HTTP/2 where TLS offers it; certificates are verified; proxies as the environment says (`https_proxy`,
// `no_proxy`), never for loopback.

#include <map>
#include <memory>

#include "ports/http_client.h"

namespace boost::asio {
class io_context;
}

namespace ganglion {

class CurlHttpClient final : public HttpClient {
 public:
  // `loop` must outlive the client. Ignores SIGPIPE in this process: TLS over libcurl may write to a closed
  // connection.
  explicit CurlHttpClient(boost::asio::io_context& loop);
  // Aborts what is under way; no completion is called any more.
  ~CurlHttpClient() override;

  HttpCallId send(HttpRequest request, Completion done) override;
  void cancel(HttpCallId call) override;

 private:
  class Multi;

  HttpCallId refuse(Completion done);

  boost::asio::io_context& loop_;
  std::unique_ptr<Multi> multi_;  // since the first call
  // Calls that libcurl isn't there for, until they are told.
  std::shared_ptr<std::map<HttpCallId, Completion>> refused_ =
      std::make_shared<std::map<HttpCallId, Completion>>();
  HttpCallId next_refused_{1};
};

}  // namespace ganglion
