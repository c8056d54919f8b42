#include "attempt.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cmath>

namespace ganglion {
namespace {

namespace json = boost::json;

// Characters of an error that are sent; the rest is cut.
constexpr std::size_t kMaxCode = 64;
constexpr std::size_t kMaxMessage = 4'000;

// Without what is not UTF-8, as file names can be: it can't be sent.
std::string sendable(std::string_view text, std::size_t limit) {
  std::string clean;
  for (std::size_t i = 0; i < text.size() && clean.size() < limit;) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
    const std::string_view rest = text.substr(std::min(i + 1, text.size()), length == 0 ? 0 : length - 1);
    const bool whole = length > 0 && lead < 0xf5 && rest.size() == length - 1 &&
                       std::ranges::all_of(rest, [](unsigned char c) { return (c & 0xc0) == 0x80; });
    if (whole) {
      clean.append(text.substr(i, length));
      i += length;
    } else {
      clean += '?';
      ++i;
    }
  }
  return clean;
}

json::object error_of(std::string_view code, std::string_view message, bool retryable) {
  const std::string sent = sendable(code, kMaxCode);
  return {{"code", sent.empty() ? "failed" : sent},
          {"message", sendable(message, kMaxMessage)},
          {"retryable", retryable}};
}

// JSON has no infinity and no NaN.
bool is_json(const json::value& value) {
  if (const double* number = value.if_double()) return std::isfinite(*number);
  if (const json::array* array = value.if_array()) return std::ranges::all_of(*array, is_json);
  if (const json::object* object = value.if_object()) {
    return std::ranges::all_of(*object, [](const auto& entry) { return is_json(entry.value()); });
  }
  return true;
}

}  // namespace

EncodedResult failure(std::string_view token, std::string_view code, std::string_view message,
                      bool retryable) {
  const json::object result{{"token", token}, {"error", error_of(code, message, retryable)}};
  return {json::serialize(result), false};
}

EncodedResult perform(const AgentFunction& function, Task& task) {
  const auto began = std::chrono::steady_clock::now();
  json::object result{{"token", task.token()}};
  json::object error;
  try {
    result["output"] = function(task);
    task.add_effects(result);
    if (!is_json(result))
      error = error_of("invalid_output", "the agent returned a number that is not JSON", false);
  } catch (const Fail& fail) {
    error = error_of(fail.code(), fail.what(), false);
  } catch (const Retry& retry) {
    error = error_of(retry.code(), retry.what(), true);
  } catch (const TaskCancelled& cancelled) {
    error = error_of("cancelled", cancelled.what(), true);
  } catch (const std::exception& other) {
    error = error_of("exception", other.what(), true);
  } catch (...) {
    error = error_of("exception", "the agent threw something that is no exception", true);
  }
  const bool ok = error.empty();
  if (!ok) result = {{"token", task.token()}, {"error", std::move(error)}};
  task.add_usage(result);
  const auto worked = std::chrono::steady_clock::now() - began;
  result["work_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(worked).count();
  return {json::serialize(result), ok};
}

}  // namespace ganglion
