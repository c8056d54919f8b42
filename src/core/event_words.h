#pragma once

// The words of the stored form of events, for both directions of the codec.

#include <array>
#include <string_view>
#include <variant>

#include "core/event.h"

namespace ganglion {

// In the order of the alternatives of Event.
inline constexpr std::array<std::string_view, std::variant_size_v<Event>> kTypes = {
    "run_created",   "run_forked",       "step_started",    "task_scheduled",  "task_waiting",
    "task_routed",   "approval_decided", "signal_received", "event_delivered", "event_published",
    "state_changed", "task_succeeded",   "task_failed",     "step_completed",  "step_failed",
    "step_skipped",  "run_paused",       "run_resumed",     "run_retried",     "run_completed",
    "run_failed",    "run_cancelled"};

// In the order of their enumerators.
inline constexpr std::array<std::string_view, 5> kRoles = {"work", "classify", "cache", "recall", "sub_run"};
inline constexpr std::array<std::string_view, 3> kRoutedBy = {"rule", "classifier", "default"};

}  // namespace ganglion
