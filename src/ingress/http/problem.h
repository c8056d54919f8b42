#pragma once

// RFC 9457 problem details: what every error answer of the server looks like. `code` is the stable,
// machine-readable part; `detail` is a sentence for a person and may change.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "ingress/http/message.h"

namespace ganglion::http {

struct FieldError {
  std::string
      path;  // JSON Pointer into the request's body, or a key's path in a project file; empty for the whole
  std::string message;
  int line = 0;  // of a text, from 1; 0: none
  int column = 0;
};

struct Problem {
  int status = 500;
  std::string code = "internal";
  std::string detail;
  std::vector<FieldError> errors = {};                            // for 422
  std::vector<std::pair<std::string, std::string>> members = {};  // further members: name, JSON value
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::optional<Duration> retry_after = {};  // rounded up to whole seconds
};

Response to_response(const Problem& problem);

}  // namespace ganglion::http
