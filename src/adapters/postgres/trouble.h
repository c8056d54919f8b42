#pragma once

// What an error of the server means for the writes and reads that were under way (PostgreSQL's appendix of
// error codes).

#include <string>
#include <string_view>

#include "base/result.h"

namespace ganglion::postgres {

enum class Trouble {
  lost,         // this connection is of no use any more: another one may be
  try_again,    // nothing was written; the same may succeed at once (a deadlock)
  no_room,      // nothing was written and won't be for now (a full disk): for everything that waits
  one_at_fault  // nothing was written because of one statement
};

Trouble trouble_of(std::string_view sqlstate);

// How a read that fails is answered: `unavailable`, or `store_corrupt`.
Error read_error(std::string_view sqlstate, const std::string& message);

}  // namespace ganglion::postgres
