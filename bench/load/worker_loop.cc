#include "bench/load/worker_loop.h"

#include <unistd.h>

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

namespace ganglion::bench {
namespace {

constexpr std::size_t kMaxResults = 256;  // of one report

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size()))
    ++found;
  return found;
}

// The string member `name` (with its quotes and colon) at or after `at`, which moves behind it. Ids need no
// unescaping, and the payload is this program's own, so that no member name occurs in it.
std::string_view next_string(std::string_view text, std::string_view name, std::size_t& at) {
  const std::size_t found = text.find(name, at);
  if (found == std::string_view::npos) return {};
  const std::size_t begin = found + name.size();
  const std::size_t end = text.find('"', begin);
  if (end == std::string_view::npos) throw std::runtime_error("an answer is cut off");
  at = end;
  return text.substr(begin, end - begin);
}

// How many of the results didn't count, because their tasks had been handed out twice.
std::size_t stale_verdicts(const Answer& answer, std::size_t given, Attempts attempts) {
  if (answer.status == 200) {
    const std::size_t stale =
        attempts == Attempts::several ? count(answer.body, R"("stale_attempt")") : std::size_t{0};
    if (count(answer.body, R"("accepted")") + stale == given) return stale;
  }
  throw std::runtime_error("results were answered " + std::to_string(answer.status) + ": " +
                           std::string(answer.body.substr(0, 500)));
}

}  // namespace

Turnarounds::Turnarounds(const Workload& workload) {
  for (const WorkloadStep& step : workload.steps) {
    tasks_of_run_.push_back(step.tasks_of_run.value_or(workload.tasks_per_run));
    auto& needs = needs_.emplace_back();
    for (std::size_t i = 0; i < workload.steps.size(); ++i) {
      if (std::ranges::find(step.needs, workload.steps[i].name) != step.needs.end()) needs.push_back(i);
    }
  }
}

std::optional<Steady::duration> Turnarounds::arrived(const std::string& run, std::size_t step,
                                                     Steady::time_point now) const {
  const auto found = runs_.find(run);
  if (found == runs_.end() || needs_[step].empty()) return std::nullopt;
  Steady::time_point last;
  for (const std::size_t need : needs_[step]) last = std::max(last, found->second.sent[need]);
  if (last == Steady::time_point()) return std::nullopt;
  return now - last;
}

void Turnarounds::sent(const std::string& run, std::size_t step, Steady::time_point now) {
  const auto found = runs_.try_emplace(run).first;
  Run& entry = found->second;
  entry.sent.resize(needs_.size());
  entry.sent[step] = now;
  if (++entry.answered >= tasks_of_run_[step]) runs_.erase(found);
}

WorkerLoop::WorkerLoop(asio::io_context& context, const WorkerOptions& options, const Workload& workload)
    : context_(context),
      options_(options),
      workload_(workload),
      turnarounds_(workload),
      due_timer_(context, Steady::time_point::max()) {
  for (std::size_t i = 0; i < workload.steps.size(); ++i) steps_[workload.steps[i].name] = i;
}

void WorkerLoop::spawn(Awaitable<void> part) {
  asio::co_spawn(context_.get_executor(), std::move(part), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
}

std::size_t WorkerLoop::step_named(std::string_view name) const {
  const auto found = steps_.find(name);
  if (found == steps_.end()) throw std::runtime_error("the server has tasks of a step " + std::string(name));
  return found->second;
}

std::vector<WorkerLoop::Result> WorkerLoop::take_tasks(std::string_view body) {
  std::vector<Result> at_once;
  const auto now = Steady::now();
  const bool counts = options_.window.contains(now);
  std::size_t at = 0;
  for (auto token = next_string(body, R"("token":")", at); !token.empty();
       token = next_string(body, R"("token":")", at)) {
    Result result{
        .token = std::string(token), .run = std::string(next_string(body, R"("run_id":")", at)), .step = 0};
    result.step = step_named(next_string(body, R"("step":")", at));
    const auto since = turnarounds_.arrived(result.run, result.step, now);
    if (counts && since) report_.overhead.record(*since);
    if (counts) ++report_.tasks;
    if (workload_.steps[result.step].takes == std::chrono::nanoseconds::zero()) {
      at_once.push_back(std::move(result));
    } else {
      spawn(perform(std::move(result)));
    }
  }
  return at_once;
}

std::string WorkerLoop::results_json(const std::vector<Result>& results) {
  const auto now = Steady::now();
  std::string json = "[";
  for (const Result& result : results) {
    if (json.size() > 1) json += ',';
    json.append(R"({"token":")").append(result.token).append(R"(","output":)");
    json.append(workload_.steps[result.step].output).append("}");
    turnarounds_.sent(result.run, result.step, now);
  }
  return json + "]";
}

Awaitable<void> WorkerLoop::perform(Result result) {
  LoopTimer timer(context_);
  timer.expires_after(workload_.steps[result.step].takes);
  co_await timer.async_wait(use_awaitable);
  due_.push_back(std::move(result));
  due_timer_.cancel();
}

Awaitable<void> WorkerLoop::report_when_due() {
  const ServerAddress& server = options_.servers.front();
  HttpConnection connection(context_, endpoint_of(server));
  co_await connection.connect();
  while (true) {
    if (due_.empty()) {
      boost::system::error_code woken;
      co_await due_timer_.async_wait(asio::redirect_error(use_awaitable, woken));
      continue;
    }
    const auto end = due_.begin() + static_cast<std::ptrdiff_t>(std::min(due_.size(), kMaxResults));
    const std::vector<Result> results(std::make_move_iterator(due_.begin()), std::make_move_iterator(end));
    due_.erase(due_.begin(), end);
    const std::string request = request_to(server, {.method = "POST", .target = "/v1/tasks/complete"},
                                           R"({"results":)" + results_json(results) + "}");
    const Answer answer = co_await connection.exchange(request);
    report_.stale += stale_verdicts(answer, results.size(), workload_.attempts);
  }
}

Awaitable<void> WorkerLoop::poll(int number) {
  const ServerAddress& server = options_.servers[static_cast<std::size_t>(number) % options_.servers.size()];
  HttpConnection connection(context_, endpoint_of(server));
  co_await connection.connect();
  const std::string ask = R"(,"agents":)" + agents_json(workload_) + R"(,"worker":"bench-)" +
                          std::to_string(number) + R"(","max":)" + std::to_string(options_.batch) +
                          R"(,"wait":"30s"})";
  std::vector<Result> results;
  while (true) {
    const std::string request = request_to(server, {.method = "POST", .target = "/v1/tasks/exchange"},
                                           R"({"results":)" + results_json(results) + ask);
    const Answer answer = co_await connection.exchange(request);
    report_.stale += stale_verdicts(answer, results.size(), workload_.attempts);
    if (options_.window.contains(Steady::now())) ++report_.exchanges;
    results = take_tasks(answer.body);
  }
}

WorkerReport WorkerLoop::run(int stop) {
  // A copy: the caller writes to its own whatever happens here.
  asio::posix::basic_stream_descriptor<LoopExecutor> channel(context_, ::dup(stop));
  channel.async_wait(asio::posix::descriptor_base::wait_read,
                     [this](const boost::system::error_code&) { context_.stop(); });
  for (int i = 0; i < options_.connections; ++i) spawn(poll(i));
  const bool has_work =
      std::ranges::any_of(workload_.steps, [](const WorkloadStep& step) { return step.takes.count() > 0; });
  if (has_work) spawn(report_when_due());
  context_.run();
  return std::move(report_);
}

}  // namespace ganglion::bench
