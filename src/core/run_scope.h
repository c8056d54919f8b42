#pragma once

// What the expressions of a run can see: `input`, `steps.NAME.{output,error,status}`, `run`, and inside a
// mapped step `item` and `index`. Payloads are parsed when an expression first looks inside them, once per
// scope: make one scope per decision, and none that outlives a change of the run.

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/expr/program.h"
#include "core/expr/value.h"
#include "core/run.h"

namespace ganglion {

class RunScope final : public expr::Scope {
 public:
  explicit RunScope(const Run& run) : run_(run) {}

  std::optional<expr::Value> find(std::string_view name) const override;

  // Sets or clears `item` and `index`.
  void set_item(expr::Value item, std::size_t index);
  void clear_item() { item_.reset(); }

 private:
  std::optional<expr::Value> find_step(std::string_view path) const;
  expr::Value cached(std::string_view name, const Payload& payload) const;

  const Run& run_;
  std::optional<expr::Value> item_;
  std::size_t index_ = 0;
  mutable std::map<std::string, expr::Value, std::less<>> parsed_;
};

}  // namespace ganglion
