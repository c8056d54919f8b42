#pragma once

// One request and its answer as libcurl sees them: the options of an easy handle, and the answer as it comes
// in.

#include <memory>
#include <string>

#include "base/curl/lib_curl.h"
#include "ports/http_client.h"

namespace ganglion {

inline constexpr std::size_t kMaxResponseHeaders = 64 * 1024;  // bytes

struct CurlDelete {
  void operator()(CURL* easy) const { curl().easy_cleanup(easy); }
  void operator()(curl_slist* list) const { curl().slist_free_all(list); }
};

class Exchange {
 public:
  Exchange(HttpCallId id, HttpRequest request, HttpClient::Completion done);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // Error `invalid_request` if libcurl can't send this.
  Result<void> prepare();
  // What came of it, once libcurl is done with it.
  Result<HttpResponse> finish(CURLcode code);

  HttpCallId id() const { return id_; }
  CURL* easy() const { return easy_.get(); }
  HttpClient::Completion take_completion() { return std::move(done_); }

 private:
  static std::size_t receive_body(char* bytes, std::size_t size, std::size_t count, void* exchange);
  static std::size_t receive_header(char* bytes, std::size_t size, std::size_t count, void* exchange);
  void add_header(std::string_view line);
  void set_transport();

  HttpCallId id_;
  HttpRequest request_;
  HttpClient::Completion done_;
  HttpResponse response_;
  std::size_t header_bytes_ = 0;
  bool too_large_ = false;
  std::string no_proxy_;
  std::unique_ptr<curl_slist, CurlDelete> headers_;
  std::unique_ptr<CURL, CurlDelete> easy_;
};

}  // namespace ganglion
