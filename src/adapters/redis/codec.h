#pragma once

// The port's values as they are stored and sent, and back. What comes back as nothing was damaged.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/redis/msgpack.h"
#include "ports/store.h"

namespace ganglion::redis {

std::string pack_entry(const JournalEntry& entry);
std::optional<JournalEntry> unpack_entry(std::string_view bytes, std::uint64_t seq);
// All of an array whose first one is entry `seq`.
std::optional<std::vector<JournalEntry>> unpack_entries(Unpacker& answer, std::uint64_t seq);

// [run, fixed part, status, rest], as the functions answer it.
std::optional<RunRecord> unpack_run(Unpacker& answer);
// The part of a record that never changes, and the part that goes with its status.
std::string pack_fixed(const RunRecord& record);
std::string pack_rest(std::optional<Timestamp> ended_at, std::string_view usage);

std::string_view kind_name(RecordKind kind);
void pack_record(Packer& packer, const Record& record);
std::optional<Record> unpack_record(RecordKind kind, std::string_view id, std::string_view stored);

// {name, topic, bytes, digests}: the name is what tells it from others.
void pack_event(Packer& packer, const TopicEvent& event);
std::optional<TopicEvent> unpack_event(std::string_view bytes, std::uint64_t seq);
// As a pattern of Lua.
std::string lua_pattern(std::string_view topic_pattern);

void pack_state_write(Packer& packer, const StateWrite& write);
std::optional<StateEntry> unpack_state_entry(std::string_view stored);

std::string pack_output(const CachedOutput& output);
std::optional<CachedOutput> unpack_output(std::string key, std::string_view bytes);

}  // namespace ganglion::redis
