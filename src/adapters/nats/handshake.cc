#include "adapters/nats/handshake.h"

#include "adapters/nats/json.h"

namespace ganglion::nats {
namespace {

constexpr unsigned kLeastMajor = 2;
constexpr unsigned kLeastMinor = 9;

bool is_old(std::string_view version) {
  const unsigned major = parse_number<unsigned>(take_until(version, '.')).value_or(0);
  const unsigned minor = parse_number<unsigned>(take_until(version, '.')).value_or(0);
  return major < kLeastMajor || (major == kLeastMajor && minor < kLeastMinor);
}

std::unexpected<Error> unusable(std::string what) {
  return fail("bus_unavailable", std::move(what));
}

}  // namespace

ServerInfo server_info_of(std::string_view json) {
  return {.version = text_member(json, "version"),
          .headers = member(json, "headers") == "true",
          .jetstream = member(json, "jetstream") == "true",
          .tls_required = member(json, "tls_required") == "true",
          .max_payload = number_member(json, "max_payload")};
}

Result<void> check(const ServerInfo& info) {
  if (is_old(info.version)) return unusable("it is version " + info.version + "; 2.9 or newer is needed");
  if (info.tls_required) return unusable("it wants TLS, which this version doesn't speak to NATS");
  if (!info.jetstream)
    return unusable("it runs without JetStream; start it with -js, or write `jetstream {}`");
  if (!info.headers) return unusable("it runs without headers; remove `no_header_support`");
  return {};
}

std::string introduction(const Url& url) {
  JsonObject json;
  json.add("name", "ganglion").add("lang", "c++").add("version", "1");
  json.add("protocol", std::int64_t{1}).add("verbose", false).add("pedantic", false);
  json.add("headers", true).add("no_responders", true);
  if (!url.user.empty()) json.add("user", url.user).add("pass", url.password);
  if (!url.token.empty()) json.add("auth_token", url.token);
  return json.finish();
}

}  // namespace ganglion::nats
