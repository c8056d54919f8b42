#pragma once

// /v1/blobs: content too large for a payload, by its digest. What refers to it says {"$ref": "sha256:…"}.
//
// A blob is in memory as a whole while it comes and goes, so what is on its way into the store is bounded.

#include <cstddef>

#include "ingress/api.h"
#include "ingress/http/exchange.h"
#include "ingress/http/message.h"

namespace ganglion::ingress {

class BlobsApi {
 public:
  explicit BlobsApi(const Dependencies& dependencies) : dependencies_(dependencies) {}

  void register_routes(http::Router& router);

 private:
  void put(http::Request request, http::Responder responder);
  void get(const http::Request& request, http::Responder responder);

  Dependencies dependencies_;
  std::size_t being_written_ = 0;  // bytes
};

}  // namespace ganglion::ingress
