#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "conformance.h"
#include "ganglion/worker.h"

namespace conformance {
namespace {

namespace json = boost::json;
using ganglion::Task;
using std::chrono::milliseconds;

class Gates {
 public:
  void open(std::string name) {
    {
      const std::scoped_lock lock(mutex_);
      open_.insert(std::move(name));
    }
    changed_.notify_all();
  }
  void pass(const Task& task, const std::string& name) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, task.stop_token(), [&] { return open_.contains(name); });
    lock.unlock();
    task.throw_if_cancelled();
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::set<std::string> open_;
};

json::object description(const Task& task) {
  json::object shown;
  for (const char* field : {"agent", "run_id", "step", "item", "attempt", "iteration", "session_id",
                            "idempotency_key", "input"}) {
    const json::value* value = task.raw().if_contains(field);
    shown[field] = value ? *value : json::value(nullptr);
  }
  return shown;
}

std::string text(const json::value& action, std::string_view name) {
  return std::string(action.at(name).as_string());
}

// Carries out one action; the output if the function is to return now.
std::optional<json::value> act(Task& task, std::string_view kind, const json::value& what, Gates& gates) {
  if (kind == "usage") {
    for (const auto& [name, amount] : what.as_object()) task.usage(name, amount.to_number<double>());
  } else if (kind == "progress") {
    const json::value* details = what.as_object().if_contains("details");
    task.progress(what.at("fraction").to_number<double>(), details ? *details : json::value(nullptr));
  } else if (kind == "publish") {
    const json::value* version = what.as_object().if_contains("version");
    const bool given = version && !version->is_null();
    const json::value* data = what.as_object().if_contains("data");
    task.publish(text(what, "topic"), data ? *data : json::value(nullptr),
                 given ? std::optional(version->to_number<int>()) : std::nullopt);
  } else if (kind == "set_state") {
    const json::value* value = what.as_object().if_contains("value");
    task.set_state(text(what, "key"), value ? *value : json::value(nullptr));
  } else if (kind == "gate") {
    gates.pass(task, std::string(what.as_string()));
  } else if (kind == "work") {
    task.wait_cancelled(milliseconds(what.to_number<std::int64_t>()));
    task.throw_if_cancelled();
  } else if (kind == "return") {
    return what;
  } else if (kind == "return_text") {
    return json::value(std::string(what.to_number<std::size_t>(), 'x'));
  } else if (kind == "fail") {
    throw ganglion::Fail(text(what, "code"), text(what, "message"));
  } else if (kind == "retry") {
    throw ganglion::Retry(text(what, "message"));
  } else if (kind == "throw") {
    throw std::runtime_error(std::string(what.as_string()));
  } else {
    throw ganglion::Fail("unknown_action", "the conformance program does not know " + std::string(kind));
  }
  return std::nullopt;
}

json::value perform(Task& task, Gates& gates) {
  const json::value* script =
      task.input().is_object() ? task.input().as_object().if_contains("script") : nullptr;
  if (!script) return task.input();
  const json::array& attempts = script->as_array();
  if (attempts.empty()) return nullptr;
  const auto index = std::min<std::size_t>(static_cast<std::size_t>(task.attempt()), attempts.size()) - 1;
  for (const json::value& action : attempts[index].as_array()) {
    for (const auto& [kind, what] : action.as_object()) {
      if (auto output = act(task, kind, what, gates)) return *output;
    }
  }
  return nullptr;
}

json::value scripted(Task& task, Gates& gates) {
  const json::object shown = description(task);
  print({{"event", "called"}, {"task", shown}});
  try {
    json::value output = perform(task, gates);
    print({{"event", "returned"}, {"task", shown}});
    return output;
  } catch (const ganglion::TaskCancelled&) {
    print({{"event", "cancelled"}, {"task", shown}});
    throw;
  } catch (...) {
    print({{"event", "returned"}, {"task", shown}});
    throw;
  }
}

int number(const json::object& settings, std::string_view name, int otherwise) {
  const json::value* value = settings.if_contains(name);
  return value && !value->is_null() ? value->to_number<int>() : otherwise;
}

}  // namespace

int run_worker(const json::object& settings) {
  ganglion::WorkerOptions options;
  options.concurrency = number(settings, "concurrency", 8);
  options.grace = milliseconds(number(settings, "grace_ms", 10'000));
  if (const json::value* name = settings.if_contains("name"); name && name->is_string())
    options.name = name->as_string();

  static Gates gates;  // static: a function that hangs may outlive the worker
  ganglion::Worker worker(options);
  for (const json::value& agent : settings.at("agents").as_array()) {
    worker.agent(
        text(agent, "name"), [](Task& task) { return scripted(task, gates); },
        number(agent.as_object(), "concurrency", 0));
  }
  std::thread([&worker] {
    while (const auto line = read_line()) {
      if (const json::value* gate = line->if_contains("open")) gates.open(std::string(gate->as_string()));
      if (line->contains("stop")) worker.stop();
    }
    std::_Exit(0);  // nothing outlives the suite
  }).detach();

  print({{"event", "started"}});
  int status = 0;
  try {
    worker.run_until_signal();
    print({{"event", "stopped"}});
  } catch (const ganglion::Problem& problem) {
    print({{"event", "refused"}, {"status", problem.status()}});
    status = 1;
  }
  std::cout.flush();
  std::_Exit(status);  // without waiting for the thread that reads
}

}  // namespace conformance
