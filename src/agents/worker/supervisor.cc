#include "agents/worker/supervisor.h"

#include <algorithm>
#include <utility>

#include "agents/process/environment.h"
#include "agents/worker/lines.h"
#include "base/assert.h"
#include "core/workflow.h"

namespace ganglion::agents {

// One program of the project, whether it runs just now or not.
struct Supervisor::Slot {
  explicit Slot(WorkerProgram of) : program(std::move(of)) {}

  // What becomes of the program when it has ended.
  enum class Next {
    restart,  // again, after the pause
    replace,  // at once, as it is described now
    nothing,
  };

  WorkerProgram program;
  Next next = Next::restart;
  std::string worker;  // the id of this start
  std::unique_ptr<ChildProcess> child;
  std::optional<Lines> output;
  std::optional<Lines> error;
  Timestamp started_at;
  Duration pause{};
  TimerId restart;
};

Supervisor::Supervisor(boost::asio::io_context& loop, Clock& clock, SupervisorOptions options,
                       Callbacks callbacks)
    : loop_(loop), clock_(clock), options_(std::move(options)), callbacks_(std::move(callbacks)) {}

Supervisor::~Supervisor() {
  for (const auto& slot : slots_) {
    if (slot->restart != TimerId()) clock_.cancel(slot->restart);
  }
}

void Supervisor::start(const std::vector<WorkerProgram>& programs) {
  GANGLION_ASSERT(!stopping_);
  for (const WorkerProgram& program : programs) add(program);
}

void Supervisor::apply(const std::vector<WorkerProgram>& programs) {
  GANGLION_ASSERT(!stopping_);
  std::vector<Slot*> before;
  for (const auto& slot : slots_) before.push_back(slot.get());
  for (Slot* slot : before) {
    const auto named = std::ranges::find(programs, slot->program.name, &WorkerProgram::name);
    if (named == programs.end()) remove(*slot);
  }
  for (const WorkerProgram& program : programs) {
    const auto slot =
        std::ranges::find(slots_, program.name, [](const auto& one) { return one->program.name; });
    if (slot == slots_.end()) {
      add(program);
    } else {
      change(**slot, program);
    }
  }
}

void Supervisor::add(const WorkerProgram& program) {
  slots_.push_back(std::make_unique<Slot>(program));
  slots_.back()->pause = options_.restart_initial;
  launch(*slots_.back());
}

void Supervisor::change(Slot& slot, const WorkerProgram& program) {
  const bool same = slot.program.command == program.command && slot.program.env == program.env;
  // One that is ending because an earlier file didn't name it can't be kept.
  if (same && slot.next != Slot::Next::nothing) return;
  slot.program = program;
  slot.pause = options_.restart_initial;
  if (slot.child) {
    slot.next = Slot::Next::replace;
    slot.child->terminate(options_.kill_grace);
  } else {
    clock_.cancel(std::exchange(slot.restart, TimerId()));
    launch(slot);
  }
}

void Supervisor::remove(Slot& slot) {
  slot.next = Slot::Next::nothing;
  if (slot.child) {
    slot.child->terminate(options_.kill_grace);
  } else {
    clock_.cancel(slot.restart);
    forget(slot);
  }
}

void Supervisor::forget(const Slot& slot) {
  std::erase_if(slots_, [&](const auto& one) { return one.get() == &slot; });
}

std::size_t Supervisor::running() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(slots_, [](const auto& slot) { return slot->child != nullptr; }));
}

void Supervisor::launch(Slot& slot) {
  slot.restart = TimerId();
  slot.next = Slot::Next::restart;
  slot.worker = slot.program.name + "." + std::to_string(next_number_++);
  slot.started_at = clock_.now();
  const auto lines = [&](WorkerStream stream) {
    return Lines(options_.max_line, [this, worker = slot.worker, stream](std::string_view line) {
      callbacks_.log(worker, stream, line);
    });
  };
  slot.output.emplace(lines(WorkerStream::output));
  slot.error.emplace(lines(WorkerStream::error));

  Environment environment = Environment::inherited();
  environment.remove("GANGLION_TOKEN");
  environment.set(slot.program.env);
  environment.set("GANGLION_SERVER", options_.server);
  environment.set("GANGLION_WORKER", slot.worker);
  if (options_.token) environment.set("GANGLION_TOKEN", *options_.token);

  auto child =
      ChildProcess::start(loop_, clock_, {slot.program.command, options_.directory, environment.list()}, "",
                          {.output = [&slot](std::string_view bytes) { slot.output->append(bytes); },
                           .error = [&slot](std::string_view bytes) { slot.error->append(bytes); },
                           .ended = [this, &slot](ExitStatus status) { ended(slot, status); }});
  if (!child) {
    plan_restart(slot, {.kind = WorkerEvent::Kind::cannot_start,
                        .program = slot.program.name,
                        .worker = slot.worker,
                        .reason = child.error().message});
    return;
  }
  slot.child = *std::move(child);
  callbacks_.event({.kind = WorkerEvent::Kind::started,
                    .program = slot.program.name,
                    .worker = slot.worker,
                    .pid = slot.child->pid(),
                    .reason = {}});
}

void Supervisor::ended(Slot& slot, ExitStatus status) {
  // Whose callback this is: it lives until the end of it.
  const std::unique_ptr<ChildProcess> child = std::move(slot.child);
  slot.output->finish();
  slot.error->finish();
  callbacks_.gone(slot.worker);
  if (clock_.now() - slot.started_at >= options_.stable_after) slot.pause = options_.restart_initial;
  const WorkerEvent event = {.kind = WorkerEvent::Kind::ended,
                             .program = slot.program.name,
                             .worker = slot.worker,
                             .reason = status.text()};
  if (slot.next == Slot::Next::restart || stopping_) {
    plan_restart(slot, event);
    return;
  }
  callbacks_.event(event);
  if (slot.next == Slot::Next::replace) {
    launch(slot);
  } else {
    forget(slot);
  }
}

void Supervisor::plan_restart(Slot& slot, WorkerEvent event) {
  if (!stopping_) {
    event.restart_in = slot.pause;
    slot.restart = clock_.at(clock_.now() + slot.pause, lifetime_.guard([this, &slot] { launch(slot); }));
    slot.pause = std::min(2 * slot.pause, options_.restart_max);
  }
  callbacks_.event(event);
  say_if_stopped();
}

void Supervisor::stop(std::move_only_function<void()> stopped) {
  GANGLION_ASSERT(!stopping_);
  stopping_ = true;
  stopped_ = std::move(stopped);
  for (const auto& slot : slots_) {
    if (slot->restart != TimerId()) clock_.cancel(std::exchange(slot->restart, TimerId()));
    if (slot->child) slot->child->terminate(options_.kill_grace);
  }
  clock_.post(lifetime_.guard([this] { say_if_stopped(); }));
}

void Supervisor::say_if_stopped() {
  if (stopping_ && running() == 0 && stopped_) std::exchange(stopped_, nullptr)();
}

}  // namespace ganglion::agents
