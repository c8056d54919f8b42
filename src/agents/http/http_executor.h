#pragma once

// Agents of kind `http`: one POST per attempt. The body is the task as a poll would show it
// (agents/task_json.h); a 2xx answer's body, one JSON value, is the output. `Idempotency-Key` is the same for
// every attempt of a task.
//
// Failures: `http_status` (an answer that is not 2xx; retryable unless 3xx or 4xx, of which 408, 425 and 429
// are retryable), `unreachable` and `timeout` (retryable), `invalid_output` (retryable), `output_too_large`,
// `missing_secret`, `invalid_request` (for good). Messages quote the agent's answer, never the request: its
// url and headers may hold secrets.

#include <map>
#include <string>
#include <vector>

#include "agents/executor.h"
#include "agents/http/secrets.h"
#include "agents/lifetime.h"
#include "ports/clock.h"
#include "ports/http_client.h"

namespace ganglion {
struct HttpAgent;
}

namespace ganglion::agents {

class HttpExecutor final : public Executor {
 public:
  // `client` must outlive the executor.
  HttpExecutor(HttpClient& client, Clock& clock, SecretSource secrets = secret_from_environment);
  ~HttpExecutor() override;

  void start(const Task& task, const AgentDefinition& agent, Timestamp deadline, Completion done) override;
  void cancel(const AttemptToken& token) override;

 private:
  struct Call {
    HttpCallId id;
    std::string url;                   // as the project file has it
    std::vector<std::string> secrets;  // that were filled in
    Completion done;
  };

  // Adds the secrets that it fills in to `used`.
  Result<HttpRequest> make_request(const Task& task, const HttpAgent& agent, Timestamp deadline,
                                   std::vector<std::string>& used);
  void answered(const AttemptToken& token, const Result<HttpResponse>& response);
  void end(const AttemptToken& token, Outcome outcome);

  HttpClient& client_;
  Clock& clock_;
  SecretSource secrets_;
  std::map<AttemptToken, Call> running_;
  Lifetime lifetime_;
};

}  // namespace ganglion::agents
