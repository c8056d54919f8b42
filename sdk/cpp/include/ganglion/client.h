#pragma once

// A client: start runs, look at them, follow them, steer them, and reach what belongs to them (approvals,
// events, session state, blobs). Blocking; threads may share one client.
//
//   ganglion::Client client;
//   ganglion::Run run = client.start("greet", {{"name", "Ada"}}, {.wait = 30s});
//   std::cout << run.status << ' ' << run.output() << '\n';
//
// Every call throws `Problem` if the server refuses and `Unavailable` if there is no answer. JSON is
// Boost.JSON; what the API returns as an object and has no type here is that object.
//
// A request whose kept connection turns out to be closed is sent once more. Where that could do something
// twice
// (`fork`, `decide`, conditional writes, …) the request goes out once, on a connection of its own.

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ganglion/connection.h"
#include "ganglion/error.h"

namespace ganglion {

// One execution of a workflow, as the server showed it.
struct Run {
  std::string id;
  std::string workflow;
  std::string status;       // running, waiting, paused, completed, failed or cancelled
  boost::json::object raw;  // all of it: input, output, error, steps, usage, …

  bool ended() const { return status == "completed" || status == "failed" || status == "cancelled"; }
  const boost::json::value& output() const;
};

// One event of a run's journal. `seq` counts from 1 without a gap.
struct JournalEvent {
  std::int64_t seq = 0;
  std::string type;
  boost::json::object raw;  // seq, at, type, step?, item?, attempt?, data
};

// A published event (a CloudEvent). `seq` grows with each one.
struct Event {
  std::int64_t seq = 0;
  std::string type;  // the topic
  boost::json::object raw;
};

struct StateValue {
  boost::json::value value;
  std::int64_t version = 0;  // of the state, when the key was written
};

struct StartOptions {
  std::optional<std::string> session_id = {};
  std::optional<int> priority = {};
  std::map<std::string, std::string> labels = {};
  // The same key with the same arguments is the same run. Empty: a run of its own.
  std::string idempotency_key = {};
  // How long to wait for the end; the run as it then stands is returned, ended or not.
  std::chrono::milliseconds wait{0};
};

// Runs that match everything given.
struct RunFilter {
  std::optional<std::string> workflow = {};
  std::optional<std::string> status = {};
  std::optional<std::string> session_id = {};
  std::optional<std::string> label = {};   // name=value
  std::optional<std::string> parent = {};  // the id of a run: its sub-runs
};

struct Decision {
  std::string digest;  // of what was shown: `digest` of the approval
  std::optional<std::string> by = {};
  std::optional<std::string> comment = {};
  std::optional<boost::json::value> output = {};  // of a human agent's task, its result
};

struct NewEvent {
  std::string type;  // the topic
  boost::json::value data = nullptr;
  std::string source = "ganglion-cpp";
  std::string id = {};  // source and id name the event: sent twice, it counts once. Empty: a random one
  std::optional<std::string> subject = {};
  std::optional<int> version = {};  // of the topic's schema; by default the latest
};

// When a key is written. `if_version`: only if it is still at this version; `if_absent`: only if there is
// none. A lost race is a `Problem` 412 `precondition_failed`.
struct PutOptions {
  std::optional<std::int64_t> if_version = {};
  bool if_absent = false;
  std::optional<std::chrono::milliseconds> ttl = {};
};

// What a stream calls for each event; false ends it.
template <typename T>
using OnEvent = std::function<bool(const T&)>;

class Client {
 public:
  // `std::invalid_argument` for a server that is not an http or https URL.
  explicit Client(const Connection& connection = {});
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  // --- runs. When `start` returns, the run is durable.
  Run start(std::string_view workflow, const boost::json::value& input = boost::json::object(),
            const StartOptions& options = {});
  Run get(std::string_view run_id);
  std::vector<Run> list(const RunFilter& filter = {});  // newest first, all pages
  // The run, once it has ended; `RunNotFinished` when the time is up. Goes on over a restart of the server.
  Run wait(std::string_view run_id, std::optional<std::chrono::milliseconds> timeout = {});
  Run cancel(std::string_view run_id);
  Run pause(std::string_view run_id);
  Run resume(std::string_view run_id);
  Run retry(std::string_view run_id);
  // For a `wait_for` step. Signals with the same key count once.
  Run signal(std::string_view run_id, std::string_view name, const boost::json::value& data = nullptr,
             const std::string& idempotency_key = {});
  // A new run that shares the journal up to `from_step`, which it does again.
  Run fork(std::string_view run_id, std::string_view from_step,
           const std::optional<boost::json::value>& input = {});
  boost::json::object tax(std::string_view run_id);  // where the run's time went

  // --- the journal
  std::vector<JournalEvent> journal(std::string_view run_id, std::int64_t after = 0);
  // Each event once, in order, as it happens, until the run has ended. A broken stream is resumed;
  // `Unavailable` after 12 attempts in a row without anything new.
  void follow(std::string_view run_id, const OnEvent<JournalEvent>& on_event, std::int64_t after = 0);

  // --- people
  std::vector<boost::json::object> approvals(const std::optional<std::string>& run_id = {});
  boost::json::object approve(std::string_view approval_id, const Decision& decision);
  boost::json::object reject(std::string_view approval_id, const Decision& decision);
  std::vector<boost::json::object> dead_letters(const std::optional<std::string>& run_id = {},
                                                const std::optional<std::string>& kind = {});
  boost::json::object requeue(std::string_view dead_letter_id);
  void delete_dead_letter(std::string_view dead_letter_id);
  std::int64_t purge_dead_letters();  // how many there were

  // --- events. When `publish` returns, the event is durable: {source, id, seq, duplicate, dead_lettered}.
  boost::json::object publish(const NewEvent& event);
  std::vector<Event> events(const std::optional<std::string>& topic = {}, std::size_t limit = 50);
  // Events from now on, or with `seq` > `after`, until `on_event` says false; resumed as `follow` is.
  void tail(const std::optional<std::string>& topic, const OnEvent<Event>& on_event,
            std::optional<std::int64_t> after = {});

  // --- sessions
  boost::json::object session(std::string_view session_id);
  std::optional<StateValue> get_state(std::string_view session_id, std::string_view key);  // empty: none such
  std::int64_t put_state(std::string_view session_id, std::string_view key, const boost::json::value& value,
                         const PutOptions& options = {});  // the new version
  void delete_state(std::string_view session_id, std::string_view key,
                    std::optional<std::int64_t> if_version = {});
  boost::json::object snapshot(std::string_view session_id, std::optional<std::int64_t> version = {});

  // --- blobs: up to 64 MiB; a reference is {"$ref": "sha256:…"} and may stand in any input, output or value
  boost::json::object put_blob(std::string_view content);
  std::string get_blob(const boost::json::value& reference);

  // --- the project file, YAML. A bad one is a `Problem` 422 with every error in it.
  std::string project();
  boost::json::object put_project(std::string_view source);
  boost::json::object check_project(
      std::string_view source);  // what `put_project` would answer; changes nothing

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace ganglion
