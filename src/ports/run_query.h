#pragma once

// What a filter means, the same for every store.

#include <algorithm>

#include "ports/store.h"

namespace ganglion {

// Whether a run passes the query's filters; the cursor and the limit are the listing's business.
inline bool matches(const RunRecord& record, const RunQuery& query) {
  if (query.workflow && record.workflow != *query.workflow) return false;
  if (query.status && record.status != *query.status) return false;
  if (query.session_id && record.session_id != query.session_id) return false;
  if (query.parent && record.parent != query.parent) return false;
  return std::ranges::all_of(query.labels, [&](const auto& label) {
    const auto found = record.labels.find(label.first);
    return found != record.labels.end() && found->second == label.second;
  });
}

}  // namespace ganglion
