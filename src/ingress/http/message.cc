#include "ingress/http/message.h"

#include <algorithm>

namespace ganglion::http {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

struct MethodName {
  Method method;
  std::string_view name;
};
constexpr MethodName kMethods[] = {
    {Method::get, "GET"}, {Method::head, "HEAD"},      {Method::post, "POST"},
    {Method::put, "PUT"}, {Method::delete_, "DELETE"}, {Method::options, "OPTIONS"},
};

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view method_name(Method method) {
  for (const MethodName& known : kMethods) {
    if (known.method == method) return known.name;
  }
  return "?";
}

Method parse_method(std::string_view name) {
  for (const MethodName& known : kMethods) {
    if (known.name == name) return known.method;
  }
  return Method::other;
}

std::optional<std::string_view> Request::header(std::string_view name) const {
  const std::string_view all = head;
  for (const FieldPosition& field : fields) {
    if (equal_ignoring_case(all.substr(field.name_at, field.name_size), name)) {
      return all.substr(field.value_at, field.value_size);
    }
  }
  return std::nullopt;
}

std::size_t Request::count(std::string_view name) const {
  const std::string_view all = head;
  return static_cast<std::size_t>(std::ranges::count_if(fields, [&](const FieldPosition& field) {
    return equal_ignoring_case(all.substr(field.name_at, field.name_size), name);
  }));
}

std::string_view reason_phrase(int status) {
  struct Phrase {
    int status;
    std::string_view text;
  };
  static constexpr Phrase kPhrases[] = {
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {204, "No Content"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {412, "Precondition Failed"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {417, "Expectation Failed"},
      {421, "Misdirected Request"},
      {422, "Unprocessable Content"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {503, "Service Unavailable"},
      {505, "HTTP Version Not Supported"},
  };
  for (const Phrase& phrase : kPhrases) {
    if (phrase.status == status) return phrase.text;
  }
  return "Status";
}

}  // namespace ganglion::http
