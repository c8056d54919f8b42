#pragma once

// A page of records, read on until it is full: a filter that the store doesn't know may leave out most of
// what it gives.

#include <functional>
#include <string>

#include "ingress/api.h"
#include "ingress/http/exchange.h"
#include "ingress/http/message.h"
#include "ports/store.h"

namespace ganglion::ingress {

// Takes `run`, `limit` and `cursor` from the query. `to_json` gives nothing for a record to leave out.
void answer_with_records(const Dependencies& dependencies, RecordKind kind, const http::Request& request,
                         std::function<std::optional<std::string>(const Record&)> to_json,
                         http::Responder responder);

}  // namespace ganglion::ingress
