#pragma once

// Answers with a run as it is now.

#include "core/ids.h"
#include "ingress/api.h"
#include "ingress/http/exchange.h"

namespace ganglion::ingress {

// 201 comes with the run's location.
void answer_with_run(const Dependencies& dependencies, const RunId& run, int status,
                     http::Responder responder);

}  // namespace ganglion::ingress
