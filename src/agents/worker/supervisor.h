#pragma once

// Starts the programs under `workers:` of the project and keeps them running. A program that ends for
// whatever reason is started again after a pause that doubles with every quick death, up to a bound, and is
// short again once the program has stayed up for a while. What a dead worker held is given back at once
// through `gone`. Every line that a program writes goes to `log`.
//
// Workers get GANGLION_SERVER, GANGLION_WORKER (their id: the program's name and a number that no other start
// has) and, if the API needs one, GANGLION_TOKEN. They run in the project's directory, each in its own
// process group, and die with the server even if that is killed (see spawn.h).
//
// `apply` follows a changed project file: programs that it doesn't name any more end, those that run
// differently now end and are started anew as soon as they have, the others are left alone.
//
// `stop` asks every program to end, kills those that don't within the grace, and calls back when all are
// gone.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/lifetime.h"
#include "agents/process/child_process.h"
#include "ports/clock.h"

namespace ganglion {
struct WorkerProgram;
}

namespace ganglion::agents {

struct SupervisorOptions {
  std::string directory;             // the project's
  std::string server;                // the API's address, such as http://127.0.0.1:7420
  std::optional<std::string> token;  // of the API
  Duration restart_initial{200};
  Duration restart_max{30'000};
  Duration stable_after{10'000};  // a program that lived this long starts anew without a grown pause
  Duration kill_grace{5'000};     // between SIGTERM and SIGKILL
  std::size_t max_line = 8192;    // bytes; a longer line is cut into several
};

enum class WorkerStream { output, error };

struct WorkerEvent {
  enum class Kind { started, ended, cannot_start };
  Kind kind;
  std::string program;
  std::string worker;     // its id
  int pid = 0;            // of `started`
  std::string reason;     // of `ended` ("exit code 1") and `cannot_start`
  Duration restart_in{};  // of `ended` and `cannot_start`, unless it ends on purpose
};

class Supervisor {
 public:
  struct Callbacks {
    std::move_only_function<void(const std::string& worker, WorkerStream, std::string_view line)> log;
    std::move_only_function<void(const WorkerEvent&)> event;
    // The worker with this id has died: Pool::worker_gone.
    std::move_only_function<void(const std::string& worker)> gone;
  };

  Supervisor(boost::asio::io_context& loop, Clock& clock, SupervisorOptions options, Callbacks callbacks);
  // Kills what still runs, without a grace.
  ~Supervisor();

  // From the loop's thread, which the workers die with.
  void start(const std::vector<WorkerProgram>& programs);
  // What is to run from now on, by name. Programs that have to end get the same grace as with `stop`. Not
  // after `stop`.
  void apply(const std::vector<WorkerProgram>& programs);
  // Never inside the call. Once; nothing is started any more.
  void stop(std::move_only_function<void()> stopped);

  std::size_t running() const;

 private:
  struct Slot;

  void add(const WorkerProgram& program);
  void change(Slot& slot, const WorkerProgram& program);
  void remove(Slot& slot);
  void forget(const Slot& slot);
  void launch(Slot& slot);
  void ended(Slot& slot, ExitStatus status);
  void plan_restart(Slot& slot, WorkerEvent event);
  void say_if_stopped();

  boost::asio::io_context& loop_;
  Clock& clock_;
  SupervisorOptions options_;
  Callbacks callbacks_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::uint64_t next_number_ = 1;
  std::move_only_function<void()> stopped_;
  bool stopping_ = false;
  Lifetime lifetime_;
};

}  // namespace ganglion::agents
