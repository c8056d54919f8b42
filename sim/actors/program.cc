#include "sim/actors/program.h"

#include <utility>

namespace ganglion::sim {
namespace {

constexpr SimTime kPauseLeast{50'000};
constexpr SimTime kPauseMost{400'000};

}  // namespace

Program::Program(World& world, std::string name)
    : world_(world),
      name_(std::move(name)),
      host_site_(world.fate().site(name_ + ".host")),
      pause_site_(world.fate().site(name_ + ".retry_pause")) {}

Program::~Program() {
  stop();
}

HttpCall Program::post(std::string target, std::string body) {
  return {"POST", std::move(target), {{"Content-Type", "application/json"}}, std::move(body)};
}

HostId Program::pick_host() {
  const std::size_t hosts = world_.hosts().size();
  if (hosts == 1) return HostId(0);
  return HostId(static_cast<std::uint32_t>(world_.fate().draw(host_site_).below(hosts)));
}

CallId Program::ask(HttpCall call, Done done, SimTime timeout) {
  auto id = std::make_shared<CallId>();
  auto answered = [this, id, alive = std::weak_ptr(alive_),
                   done = std::move(done)](Result<HttpAnswer> answer) mutable {
    if (alive.expired()) return;
    open_.erase(*id);
    done(std::move(answer));
  };
  *id = world_.network().send(name_, pick_host(), std::move(call), timeout, std::move(answered));
  open_.insert(*id);
  return *id;
}

void Program::insist(HttpCall call, Certain done) {
  HttpCall once = call;
  ask(std::move(once),
      [this, call = std::move(call), done = std::move(done)](Result<HttpAnswer> answer) mutable {
        const bool certain = answer && answer->status != 503 && answer->status != 429 && answer->status < 500;
        if (certain) return done(*std::move(answer));
        if (answer && answer->status >= 500 && answer->status != 503) {
          world_.violated(name_ + " got " + std::to_string(answer->status) + ": " + answer->body);
        }
        try_again(std::move(call), std::move(done));
      });
}

void Program::try_again(HttpCall call, Certain done) {
  later(world_.fate().draw(pause_site_).between(kPauseLeast, kPauseMost),
        [this, call = std::move(call), done = std::move(done)]() mutable {
          insist(std::move(call), std::move(done));
        });
}

void Program::later(SimTime delay, std::move_only_function<void()> action) {
  world_.timeline().after(
      delay, [this, alive = std::weak_ptr(alive_), life = life_, action = std::move(action)]() mutable {
        if (!alive.expired() && life == life_) action();
      });
}

void Program::stop() {
  ++life_;
  for (const CallId call : std::exchange(open_, {})) world_.network().close(call);
}

}  // namespace ganglion::sim
