#pragma once

// The names that a project gives or mentions: of agents and workflows, topics, keys of the state, people.
// Each reader reports what is no such name; lists are bounded.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "project/fields.h"

namespace ganglion::project {

inline constexpr std::size_t kMaxNameBytes = 64;
inline constexpr std::size_t kMaxPatterns = 256;  // of one list
inline constexpr std::size_t kMaxPeople = 256;    // who may decide one thing
inline constexpr std::size_t kMaxPersonBytes = 255;

// Names of agents, workflows and domains: at most kMaxNameBytes letters, digits, '_' and '-', a letter or '_'
// first.
bool is_name(std::string_view name);
// Reports what is none.
void check_name(const std::string& name, const Field& field, Diagnostics& diagnostics);

// See core/topic.h.
void check_topic(const std::string& topic, const Field& field, Diagnostics& diagnostics);
std::optional<std::string> read_topic(const Field& field, Diagnostics& diagnostics);
std::optional<std::string> read_pattern(const Field& field, Diagnostics& diagnostics);
std::vector<std::string> read_patterns(const Field& field, Diagnostics& diagnostics);
void check_state_key(const std::string& key, const Field& field, Diagnostics& diagnostics);

// Of persons or of groups of them, as whoever decides will name them.
std::vector<std::string> read_people(const Field& field, Diagnostics& diagnostics);

}  // namespace ganglion::project
