#include "ganglion/task.h"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <stdexcept>
#include <utility>

namespace ganglion {

namespace json = boost::json;

Task::Task(json::object value, std::function<void()> on_progress)
    : value_(std::move(value)), on_progress_(std::move(on_progress)) {
  token_ = text("token");
  agent_ = text("agent");
}

const json::value& Task::input() const {
  static const json::value none;
  const json::value* input = value_.if_contains("input");
  return input ? *input : none;
}

std::string Task::text(std::string_view name) const {
  const json::value* value = value_.if_contains(name);
  return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::optional<std::int64_t> Task::number(std::string_view name) const {
  const json::value* value = value_.if_contains(name);
  if (!value || !value->is_number()) return std::nullopt;
  return value->to_number<std::int64_t>();
}

void Task::throw_if_cancelled() const {
  if (cancelled()) throw TaskCancelled();
}

bool Task::wait_cancelled(std::chrono::milliseconds time) const {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, stop_.get_token(), time, [] { return false; });
  return cancelled();
}

void Task::usage(std::string_view name, double amount) {
  if (!std::isfinite(amount) || amount < 0) throw std::invalid_argument("usage is a finite amount >= 0");
  const std::scoped_lock lock(mutex_);
  const json::value* before = usage_.if_contains(name);
  amount += before ? before->to_number<double>() : 0.0;
  // Counts stay integers on the wire, as long as they are exact.
  constexpr double kExact = 9007199254740992.0;
  if (amount == std::floor(amount) && amount < kExact) {
    usage_[name] = static_cast<std::int64_t>(amount);
  } else {
    usage_[name] = amount;
  }
}

void Task::progress(double fraction, json::value details) {
  {
    const std::scoped_lock lock(mutex_);
    progress_ = {{"progress", std::isfinite(fraction) ? std::clamp(fraction, 0.0, 1.0) : 0.0}};
    if (!details.is_null()) progress_["details"] = std::move(details);
  }
  on_progress_();
}

void Task::publish(std::string_view topic, json::value data, std::optional<int> version) {
  json::object event{{"topic", topic}, {"data", std::move(data)}};
  if (version) event["version"] = *version;
  const std::scoped_lock lock(mutex_);
  events_.push_back(std::move(event));
}

void Task::set_state(std::string_view key, json::value value) {
  const std::scoped_lock lock(mutex_);
  state_[key] = std::move(value);
}

json::object Task::latest_progress() const {
  const std::scoped_lock lock(mutex_);
  return progress_;
}

void Task::add_effects(json::object& result) const {
  const std::scoped_lock lock(mutex_);
  if (!events_.empty()) result["events"] = events_;
  if (!state_.empty()) result["state"] = state_;
}

void Task::add_usage(json::object& result) const {
  const std::scoped_lock lock(mutex_);
  if (!usage_.empty()) result["usage"] = usage_;
}

}  // namespace ganglion
