#pragma once

// What can go wrong, as exceptions that a caller can act on. Two families: what a client throws (`Error` and
// below) and what an agent throws to end an attempt (`Fail`, `Retry`, `TaskCancelled`).

#include <boost/json/value.hpp>
#include <stdexcept>
#include <string>
#include <utility>

namespace ganglion {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// No answer: refused, reset, timed out. Trying again may help.
class Unavailable : public Error {
 public:
  using Error::Error;
};

// `Client::wait` ran out of time. The run goes on.
class RunNotFinished : public Error {
 public:
  using Error::Error;
};

// The server's answer was an RFC 9457 problem. Decide on `code()`; `what()` is for people.
class Problem : public Error {
 public:
  Problem(int status, std::string code, std::string detail, boost::json::value body,
          double retry_after_seconds = 0);

  int status() const { return status_; }
  const std::string& code() const { return code_; }
  const std::string& detail() const { return detail_; }
  // The whole problem; its `errors` (status 422) say which field is wrong: [{"path", "message"}].
  const boost::json::value& body() const { return body_; }
  double retry_after_seconds() const { return retry_after_seconds_; }  // 0: the server asks for no pause
  // Whether the same request may succeed later without a change.
  bool temporary() const { return status_ == 429 || status_ >= 500; }

 private:
  int status_;
  std::string code_;
  std::string detail_;
  boost::json::value body_;
  double retry_after_seconds_;
};

// Throw it in an agent: no further attempt makes sense. `code` is for programs, `message` for people.
class Fail : public std::runtime_error {
 public:
  Fail(std::string code, const std::string& message) : std::runtime_error(message), code_(std::move(code)) {}
  const std::string& code() const { return code_; }

 private:
  std::string code_;
};

// Throw it in an agent: this attempt failed, another one may succeed. The project's retry policy decides
// when.
class Retry : public std::runtime_error {
 public:
  explicit Retry(const std::string& message, std::string code = "retry")
      : std::runtime_error(message), code_(std::move(code)) {}
  const std::string& code() const { return code_; }

 private:
  std::string code_;
};

// Thrown by `Task::throw_if_cancelled`. Let it leave the agent: nobody waits for the result any more.
class TaskCancelled : public std::runtime_error {
 public:
  TaskCancelled() : std::runtime_error("the task was cancelled") {}
};

}  // namespace ganglion
