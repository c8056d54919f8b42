#pragma once

// A program that talks to engines over the network: it picks one, waits for the answer, and where it can't
// know what became of its request it asks again, somewhere else.

#include <functional>
#include <set>
#include <string>

#include "sim/world/world.h"

namespace ganglion::sim {

class Program {
 public:
  Program(World& world, std::string name);
  virtual ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  const std::string& name() const { return name_; }

 protected:
  using Done = HttpNetwork::Done;
  using Certain = std::move_only_function<void(HttpAnswer)>;

  static constexpr SimTime kPatience{5'000'000};

  // One try.
  CallId ask(HttpCall call, Done done, SimTime timeout = kPatience);
  // Until there is an answer that isn't 429 or 503; only for what may be repeated.
  void insist(HttpCall call, Certain done);
  HostId pick_host();
  // Runs unless the program has been stopped.
  void later(SimTime delay, std::move_only_function<void()> action);
  // Closes every connection and forgets what was to come.
  void stop();

  static HttpCall post(std::string target, std::string body);

  World& world_;

 private:
  void try_again(HttpCall call, Certain done);

  const std::string name_;
  SiteId host_site_, pause_site_;
  std::set<CallId> open_;
  std::uint64_t life_ = 0;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace ganglion::sim
