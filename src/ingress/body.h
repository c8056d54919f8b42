#pragma once

// Reads JSON bodies: one object, member by member, with everything that is wrong with it gathered by path.
// Members that are JSON of the user's own (inputs, outputs) come out as the bytes that they were.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "ingress/http/message.h"
#include "ingress/http/problem.h"

namespace ganglion::ingress {

enum class Need { required, optional };
// An empty body is read as `{}` where the whole body is optional.
enum class EmptyBody { refused, allowed };

// The body as valid JSON; the view lives as long as the request. Problems: 415, 400 (malformed, duplicate
// names, too deep).
std::expected<std::string_view, http::Problem> json_body(const http::Request& request,
                                                         EmptyBody empty = EmptyBody::refused);

// Whether the media type of the Content-Type header, without its parameters, is one of these.
bool has_media_type(const http::Request& request, std::initializer_list<std::string_view> types);

// More than a person reads; a body can have more flaws than that.
inline constexpr std::size_t kMaxErrors = 50;

class ObjectReader {
 public:
  // `json` is valid JSON; an error if it is no object. Errors go to `errors`, the first kMaxErrors of them,
  // with `path` before the member's name.
  ObjectReader(std::string_view json, std::string path, std::vector<http::FieldError>& errors);

  // Nothing for a member that is absent, null or wrong; of these, `required` makes the first two errors.
  std::optional<std::string> text(std::string_view name, Need need, std::size_t longest);
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t low, std::int64_t high);
  std::optional<double> number(std::string_view name);
  std::optional<bool> boolean(std::string_view name);
  std::optional<Duration> duration(std::string_view name, Duration longest);
  // The member's bytes, whatever it is, also if it is null; nothing only if it is absent.
  std::optional<std::string_view> raw(std::string_view name);
  std::optional<std::string_view> object(std::string_view name, Need need);
  std::optional<std::vector<std::string_view>> array(std::string_view name, Need need, std::size_t most);

  void error(std::string_view name, std::string message);
  // Members that nobody has asked for are errors. Last.
  void finish();

 private:
  struct Member {
    std::string name;
    std::string_view value;
    bool taken = false;
  };

  Member* find(std::string_view name);
  // The value, unless it is absent or null.
  std::optional<std::string_view> present(std::string_view name, Need need);

  std::string path_;
  std::vector<http::FieldError>& errors_;
  std::vector<Member> members_;
};

// One step of a JSON Pointer.
std::string pointer_to(const std::string& path, std::string_view member);

}  // namespace ganglion::ingress
