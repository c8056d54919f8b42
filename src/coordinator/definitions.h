#pragma once

// Compiled project files by digest: the active one, which new runs are started under, and those that runs in
// memory were started under. A project stays compiled while somebody holds it; beside the active one the last
// few that were asked for are held here, so that looking at old runs doesn't compile again and again.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/workflow.h"
#include "ports/store.h"

namespace ganglion {

class Definitions {
 public:
  using Compiler = std::function<Result<std::shared_ptr<const Project>>(const std::string& source)>;
  template <typename T>
  using Completion = std::move_only_function<void(Result<T>)>;

  Definitions(Store& store, Compiler compile) : store_(store), compile_(std::move(compile)) {}

  // The project under which new runs start; null before the first.
  std::shared_ptr<const Project> active() const { return active_; }

  // Stores the project durably and makes it the active one.
  void activate(std::shared_ptr<const Project> project, Completion<void> done);
  // Called whenever a project has been made the active one, here or by another engine, from the next time on.
  void on_activated(std::function<void()> activated) { activated_.push_back(std::move(activated)); }
  // Makes the stored active project the active one, at a start or where another engine has activated one; an
  // installation without one is no error.
  void restore(Completion<void> done);

  // The project with this digest, from memory. Null if nobody holds it.
  std::shared_ptr<const Project> find(const std::string& digest) const;
  // The same, from the store if need be. Error `not_found`, or `invalid_definition` where this version can't
  // read it.
  void load(std::string digest, Completion<std::shared_ptr<const Project>> done);

 private:
  static constexpr std::size_t kRecent = 8;

  // The one compiled copy of this file, which may be an older one than `project`.
  std::shared_ptr<const Project> keep(std::shared_ptr<const Project> project);

  Store& store_;
  Compiler compile_;
  std::shared_ptr<const Project> active_;
  std::uint64_t activations_ = 0;  // begun and ended
  std::vector<std::function<void()>> activated_;
  std::map<std::string, std::weak_ptr<const Project>> by_digest_;
  std::deque<std::shared_ptr<const Project>> recent_;
};

}  // namespace ganglion
