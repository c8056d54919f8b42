#pragma once

// When nothing breaks any more, somebody must do what runs wait for: decide approvals, resume what is paused.
// After that every run ends by itself, or a promise is broken.

#include "sim/actors/program.h"

namespace ganglion::sim {

class Janitor final : public Program {
 public:
  explicit Janitor(World& world) : Program(world, "janitor") {}

  void start() { go_round(); }

 private:
  void go_round();
  void decide_all();
  void resume_all();
};

}  // namespace ganglion::sim
