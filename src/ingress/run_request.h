#pragma once

// What a client sends to start a run, checked against the bounds and the workflow's input schema.

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "coordinator/coordinator.h"
#include "ingress/http/message.h"
#include "ingress/http/problem.h"

namespace ganglion::ingress {

inline constexpr std::size_t kMaxLabels = 32;
inline constexpr std::size_t kMaxLabelName = 63;
inline constexpr std::size_t kMaxLabelValue = 255;
inline constexpr std::size_t kMaxSessionId = 255;
inline constexpr std::int64_t kMaxPriority = 1000;  // and as much below zero

// Problems: 400, 413, 415, 422; 404 `unknown_workflow` with a suggestion.
std::expected<StartRequest, http::Problem> read_start_request(const http::Request& request,
                                                              const Project* project);

// What an input breaks of a workflow's bounds and schema.
std::optional<http::Problem> check_input(const WorkflowDefinition& workflow, const Payload& input);

// Nothing without the header; 400 for one that is no key.
std::expected<std::optional<std::string>, http::Problem> idempotency_key_of(const http::Request& request);

bool has_control_character(std::string_view text);

// A letter or digit, then letters, digits and `._/-`.
bool is_label_name(std::string_view name);

// The header's value if it is a W3C traceparent, else nothing: a broken trace starts anew.
std::string usable_traceparent(const http::Request& request);

}  // namespace ganglion::ingress
