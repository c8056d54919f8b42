#pragma once

// The graph of a workflow's steps as text, for `ganglion validate --graph` and for documents.

#include <string>

#include "core/workflow.h"

namespace ganglion::project {

// One line per step, by level: a step stands one level below the last step that it needs, so that steps of
// one level run side by side.
//
//   code-review: 4 steps on 3 levels
//
//   1  ┬ scan     agent scanner
//      └ pause    sleep
//        │
//   2  ─ review   agent reviewer, for each item (8 at a time)   ← scan
//        │
//   3  ─ merge    transform, if a condition holds               ← review, pause
std::string graph(const WorkflowDefinition& workflow);

// The same as a Mermaid flowchart.
std::string mermaid(const WorkflowDefinition& workflow);

}  // namespace ganglion::project
