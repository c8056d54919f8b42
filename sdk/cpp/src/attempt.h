#pragma once

// An agent's function and what its end means: the encoded fields of a result.

#include <string>
#include <string_view>

#include "ganglion/worker.h"
#include "mailbox.h"

namespace ganglion {

// Calls the function; never throws.
EncodedResult perform(const AgentFunction& function, Task& task);
EncodedResult failure(std::string_view token, std::string_view code, std::string_view message,
                      bool retryable);

}  // namespace ganglion
