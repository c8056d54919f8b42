#pragma once

// What agents report to have used, and sums of it in the terms of budgets.

#include <map>
#include <string>

#include "base/payload.h"
#include "core/workflow.h"

namespace ganglion {

// Amounts by name.
using Usage = std::map<std::string, double>;

// The members of a usage object that are numbers from 0 to 10^15; any other is a mistake that no sum would
// survive.
Usage read_usage(const Payload& payload);
void add(Usage& to, const Usage& amounts);

// Tokens are `tokens`, or where that is absent the sum of `input_tokens` and `output_tokens`.
Budget as_budget(const Usage& usage);
// Absent amounts count as nothing.
void add(Budget& to, const Budget& amount, double sign);

// A JSON object.
std::string usage_json(const Usage& usage);

}  // namespace ganglion
