#pragma once

// An expected failure is a value. `Error::code` is stable and machine-readable (snake_case, as in the HTTP
// API's `code` and in a task's `error.code`); `message` is one sentence for a person, and says what to do
// where it can.

#include <expected>
#include <string>
#include <utility>

namespace ganglion {

struct Error {
  std::string code;
  std::string message;

  bool operator==(const Error&) const = default;
};

template <typename T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(std::string code, std::string message) {
  return std::unexpected(Error{std::move(code), std::move(message)});
}

}  // namespace ganglion
