#pragma once

// The rules that carry the engine's correctness, each with a switch. They are always on; a test compiles one
// file at a time with one of them off and demands that the simulator notices (sim/mutants). Nobody else sets
// GANGLION_WITHOUT_….

namespace ganglion {

// A result counts only under the token of the current attempt.
#ifdef GANGLION_WITHOUT_FENCING
constexpr bool kFencing = false;
#else
constexpr bool kFencing = true;
#endif

// What a dead engine had decided and not carried out is carried out by the next one.
#ifdef GANGLION_WITHOUT_OUTBOX
constexpr bool kOutbox = false;
#else
constexpr bool kOutbox = true;
#endif

// An idempotency key starts one run.
#ifdef GANGLION_WITHOUT_DEDUPLICATION
constexpr bool kDeduplication = false;
#else
constexpr bool kDeduplication = true;
#endif

// A commit is refused where the journal has moved.
#ifdef GANGLION_WITHOUT_VERSION_CHECK
constexpr bool kVersionCheck = false;
#else
constexpr bool kVersionCheck = true;
#endif

// An input is answered when what was decided on it is durable.
#ifdef GANGLION_WITHOUT_ACKNOWLEDGE_LAST
constexpr bool kAcknowledgeLast = false;
#else
constexpr bool kAcknowledgeLast = true;
#endif

}  // namespace ganglion
