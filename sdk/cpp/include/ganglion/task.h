#pragma once

// One attempt of one task, as an agent sees it. The data is as the server sent it; the functions may be
// called from any thread, while the agent runs.

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "ganglion/error.h"

namespace ganglion {

class Task {
 public:
  // `value`: a task of the HTTP API. `on_progress` is called, from any thread, when there is progress to
  // send.
  Task(boost::json::object value, std::function<void()> on_progress);
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  const boost::json::value& input() const;  // what the step's `input` says, nothing else
  const std::string& token() const { return token_; }
  const std::string& agent() const { return agent_; }
  std::string run_id() const { return text("run_id"); }
  std::string step() const { return text("step"); }
  std::optional<std::int64_t> item() const { return number("item"); }  // position in a mapped step
  std::int64_t attempt() const { return number("attempt").value_or(1); }
  std::optional<std::int64_t> iteration() const { return number("iteration"); }  // of a step with `until`
  std::optional<std::int64_t> state_version() const { return number("state_version"); }
  std::string session_id() const { return text("session_id"); }  // empty: the run has none
  // The same for every attempt of this task: give it to whatever must not happen twice.
  std::string idempotency_key() const { return text("idempotency_key"); }
  std::string traceparent() const { return text("traceparent"); }
  std::string deadline() const { return text("deadline"); }  // RFC 3339
  const boost::json::object& raw() const { return value_; }

  // Whether nobody waits for the result any more: run cancelled, attempt timed out, worker stopping. An agent
  // that runs long looks now and then and leaves.
  bool cancelled() const { return stop_.stop_requested(); }
  void throw_if_cancelled() const;
  std::stop_token stop_token() const { return stop_.get_token(); }
  // Sleeps until the task is cancelled or the time is over; whether it is cancelled.
  bool wait_cancelled(std::chrono::milliseconds time) const;

  // Adds to what this attempt has used: `input_tokens`, `output_tokens`, `usd`, or names of your own. Sent
  // with the result, also with a failure. `std::invalid_argument` for negative and non-finite amounts.
  void usage(std::string_view name, double amount);
  // How far the task is, 0 … 1. Sent soon, at most once a second, the latest wins.
  void progress(double fraction, boost::json::value details = nullptr);
  // Publishes an event together with the result: exactly when the attempt succeeds and its result counts. The
  // agent's `publishes` must allow the topic.
  void publish(std::string_view topic, boost::json::value data, std::optional<int> version = {});
  // Writes a key of the session's state together with the result; null removes it. The agent's `state.write`
  // must allow the key.
  void set_state(std::string_view key, boost::json::value value);

  // --- for the worker
  void cancel() { stop_.request_stop(); }
  boost::json::object latest_progress() const;          // {"progress"?, "details"?}
  void add_effects(boost::json::object& result) const;  // events, state
  void add_usage(boost::json::object& result) const;

 private:
  std::string text(std::string_view name) const;
  std::optional<std::int64_t> number(std::string_view name) const;

  boost::json::object value_;
  std::string token_;
  std::string agent_;
  std::function<void()> on_progress_;
  std::stop_source stop_;
  mutable std::mutex mutex_;  // of what follows
  boost::json::object usage_;
  boost::json::object progress_;
  boost::json::array events_;
  boost::json::object state_;
};

}  // namespace ganglion
