#pragma once

// The engine's log: one JSON object a line, `{"at", "level", "event", …}`. An event is a constant name; what
// varies are fields. `error` means that a person must act, `warning` that one may want to, `info` is the
// rest. Secrets never come here: nobody gives payloads, headers or environments to the log.

#include <functional>
#include <string>
#include <string_view>

#include "base/json_text.h"
#include "ports/clock.h"

namespace ganglion {

enum class LogLevel { info, warning, error };

class Log {
 public:
  using Sink = std::function<void(const std::string& json_line)>;

  // Without a sink nothing is written. Both outlive the log.
  Log(const Clock& clock, Sink sink) : clock_(clock), sink_(std::move(sink)) {}

  // Starts a line: `log.line(LogLevel::info, "server_started").add("url", url)`; it is written when it goes
  // out of scope.
  class Line {
   public:
    ~Line() {
      if (sink_ != nullptr && *sink_) (*sink_)(fields_.finish());
    }
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;

    template <typename Value>
    Line& add(std::string_view name, const Value& value) {
      fields_.add(name, value);
      return *this;
    }

   private:
    friend class Log;
    Line(const Sink* sink, JsonObject fields) : sink_(sink), fields_(std::move(fields)) {}
    const Sink* sink_;
    JsonObject fields_;
  };

  Line line(LogLevel level, std::string_view event) const {
    static constexpr std::string_view kLevels[] = {"info", "warning", "error"};
    JsonObject fields;
    fields.add("at", format_rfc3339(clock_.now()))
        .add("level", kLevels[static_cast<int>(level)])
        .add("event", event);
    return Line(&sink_, std::move(fields));
  }

 private:
  const Clock& clock_;
  Sink sink_;
};

}  // namespace ganglion
