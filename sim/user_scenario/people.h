#pragma once

// The people of a scenario file: they look at what waits for a decision, take their time, and decide each
// once, about exactly what they were shown. A no is a matter of fate: `shipment:57/sign_off.reject:1`.

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "base/payload.h"
#include "sim/actors/program.h"
#include "sim/checkers/history.h"
#include "sim/scenario/scenario.h"
#include "sim/user_scenario/run_names.h"

namespace ganglion::sim {

// The first that decides this step; null if nobody does. `by` are those whom the step names; if it names
// nobody, everybody may.
const scenario::Person* who_decides(const std::vector<scenario::Person>& people, const std::string& step,
                                    const std::vector<std::string>& by);

class People final : public Program {
 public:
  // All outlive this.
  People(World& world, const std::vector<scenario::Person>& people, const RunNames& names, History& history);

  void start();

 private:
  struct Asked {
    std::string id, digest, step, show;
    std::string name = {};  // of the run and the step
    std::uint32_t attempt = 1;
    bool is_task = false;
  };

  void look();
  void look_at_page(const std::string& cursor);
  void found(std::string_view item);
  void decide(const scenario::Person& person, const Asked& asked);
  void answered(const Asked& asked, const std::string& decision, const HttpAnswer& answer);

  const std::vector<scenario::Person>& people_;
  const RunNames& names_;
  History& history_;
  const scenario::Draws draws_;
  std::set<std::string> seen_;
};

}  // namespace ganglion::sim
