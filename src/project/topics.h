#pragma once

// `topics:`: versions of the schemas of events.

#include <map>
#include <string>

#include "core/workflow.h"
#include "project/fields.h"

namespace ganglion::project {

using Topics = std::map<std::string, TopicSchemas>;

Topics read_topics(const Field& field, Diagnostics& diagnostics);

// Data without expressions can be held against the latest version now.
void check_published(const std::string& topic, const Field& data, const Topics& topics,
                     Diagnostics& diagnostics);

}  // namespace ganglion::project
