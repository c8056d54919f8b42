#include "ingress/blobs_api.h"

#include <string>
#include <utility>

#include "base/sha256.h"
#include "ingress/http/router.h"
#include "ingress/problems.h"
#include "ports/clock.h"
#include "ports/store.h"

namespace ganglion::ingress {
namespace {

constexpr std::size_t kMaxBeingWritten = 4 * kMaxBlob;

http::Problem no_digest() {
  return invalid_parameter("sha256", "must be 64 lower-case hexadecimal digits");
}

}  // namespace

void BlobsApi::register_routes(http::Router& router) {
  router.add(
      http::Method::put, "/v1/blobs/{sha256}",
      [this](http::Request request, http::Responder responder) {
        put(std::move(request), std::move(responder));
      },
      http::Access::token, kMaxBlob);
  router.add(http::Method::get, "/v1/blobs/{sha256}",
             [this](const http::Request& request, http::Responder responder) {
               get(request, std::move(responder));
             });
}

void BlobsApi::put(http::Request request, http::Responder responder) {
  const std::string digest = request.parameters[0];
  if (!is_sha256_hex(digest)) return responder.fail(no_digest());
  const std::string actual = sha256_hex(request.body);
  if (actual != digest) {
    return responder.fail(
        {.status = 422, .code = "digest_mismatch", .detail = "the SHA-256 of the body is " + actual});
  }
  const std::size_t size = request.body.size();
  if (being_written_ + size > kMaxBeingWritten) {
    return responder.fail(problem_of({"overloaded", "too many blobs are being written; try again"}));
  }
  being_written_ += size;
  dependencies_.store.has_blob(digest, [this, digest, size, content = std::move(request.body),
                                        responder = std::move(responder)](Result<bool> known) mutable {
    auto written = [this, digest, size, status = known.value_or(false) ? 200 : 201,
                    responder = std::move(responder)](Result<void> put) mutable {
      being_written_ -= size;
      if (!put) return responder.fail(problem_of(put.error()));
      http::Response response = http::Response::json(
          status, R"({"digest":"sha256:)" + digest + R"(","size":)" + std::to_string(size) + "}");
      if (status == 201) response.headers.emplace_back("Location", "/v1/blobs/" + digest);
      responder.respond(std::move(response));
    };
    // Also one that is known: it must not be taken for an old one before something refers to it.
    dependencies_.store.put_blob(digest, std::move(content), dependencies_.clock.now(), std::move(written));
  });
}

void BlobsApi::get(const http::Request& request, http::Responder responder) {
  const std::string& digest = request.parameters[0];
  if (!is_sha256_hex(digest)) return responder.fail(no_digest());
  dependencies_.store.get_blob(
      digest, [digest, responder = std::move(responder)](Result<std::string> content) mutable {
        if (!content) return responder.fail(problem_of(content.error()));
        http::Response response{200, "application/octet-stream", {}, *std::move(content)};
        response.headers.emplace_back("ETag", "\"" + digest + "\"");
        responder.respond(std::move(response));
      });
}

}  // namespace ganglion::ingress
