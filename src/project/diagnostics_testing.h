#pragma once

// For tests: the errors of a file, or of one part of it, as texts.

#include <string>
#include <string_view>
#include <vector>

#include "project/project.h"

namespace ganglion::project {

inline std::vector<std::string> errors_of(std::string_view source) {
  std::vector<std::string> texts;
  const Loaded result = parse(source, "g.yaml");
  if (result) return texts;
  for (const Diagnostic& diagnostic : result.error()) texts.push_back(diagnostic.text());
  return texts;
}

// The errors of one agent, of one step, of the top level: what they are about begins on line 2, 4 and 2.
inline std::vector<std::string> errors_of_agent(const std::string& agent) {
  return errors_of("ganglion: 1\nagents: {x: " + agent + "}\n");
}
inline std::vector<std::string> errors_of_step(const std::string& step) {
  return errors_of(
      "ganglion: 1\nagents: {scan: {kind: worker}}\nworkflows: {w: {steps: {first: {transform: 1},\nx: " +
      step + "}}}\n");
}
inline std::vector<std::string> errors_of_root(const std::string& line) {
  return errors_of("ganglion: 1\n" + line + "\n");
}

}  // namespace ganglion::project
