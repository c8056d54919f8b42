#pragma once

// A request as handlers see it and a response as they make it. A request owns its bytes: the head as it came,
// with header fields as positions in it, and the body after de-chunking.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ganglion::http {

enum class Method { get, head, post, put, delete_, options, other };

std::string_view method_name(Method method);
Method parse_method(std::string_view name);

// Where one header field lies in Request::head.
struct FieldPosition {
  std::uint32_t name_at, name_size, value_at, value_size;
};

struct Request {
  Method method = Method::other;
  bool http_1_1 = true;
  bool keep_alive = true;
  bool expects_continue = false;
  std::string head;  // request line and headers as they came
  std::uint32_t target_at = 0, target_size = 0;
  std::vector<FieldPosition> fields;
  std::string body;
  std::string id;  // X-Request-Id, the client's or the server's own

  // Filled in by the router: the decoded values of `{…}` in the route's pattern, in order.
  std::vector<std::string> parameters;

  std::string_view target() const { return std::string_view(head).substr(target_at, target_size); }
  // The first field with this name, in any case.
  std::optional<std::string_view> header(std::string_view name) const;
  std::size_t count(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  static Response json(int status, std::string body) {
    return {status, "application/json", {}, std::move(body)};
  }
};

std::string_view reason_phrase(int status);

bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace ganglion::http
