#include "ingress/system_api.h"

#include <charconv>
#include <utility>

#include "agents/pool.h"
#include "base/json_text.h"
#include "coordinator/coordinator.h"
#include "coordinator/event_log.h"
#include "ingress/http/router.h"
#include "ingress/http/server.h"
#include "ports/store.h"

namespace ganglion::ingress {
namespace {

std::string label(std::string_view name, std::string_view value) {
  std::string text(name);
  text += "=\"";
  for (const char c : value) {
    if (c == '\n') {
      text += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

void add_http_metrics(std::vector<Metric>& metrics, const http::Statistics& http) {
  static constexpr const char* kClasses[] = {"client_gone", "1xx", "2xx", "3xx", "4xx", "5xx"};
  for (std::size_t i = 0; i < std::size(kClasses); ++i) {
    if (i == 1 || i == 3) continue;  // never sent
    metrics.push_back({"ganglion_http_responses_total", "Answers to HTTP requests, by class of their status.",
                       "counter", label("class", kClasses[i]), static_cast<double>(http.answers[i])});
  }
  metrics.push_back({"ganglion_http_connections", "HTTP connections now.", "gauge", "",
                     static_cast<double>(http.connections)});
  metrics.push_back({"ganglion_http_waiting_requests", "HTTP requests without an answer yet, such as polls.",
                     "gauge", "", static_cast<double>(http.waiting)});
  metrics.push_back(
      {"ganglion_http_streams", "Event streams now.", "gauge", "", static_cast<double>(http.streams)});
  metrics.push_back({"ganglion_http_turned_away_total", "Connections beyond the maximum.", "counter", "",
                     static_cast<double>(http.turned_away)});
}

}  // namespace

std::string prometheus_text(const std::vector<Metric>& metrics) {
  std::string text;
  std::string_view before;
  for (const Metric& metric : metrics) {
    if (metric.name != before) {
      text +=
          "# HELP " + metric.name + " " + metric.help + "\n# TYPE " + metric.name + " " + metric.kind + "\n";
      before = metric.name;
    }
    char digits[64];
    const auto end = std::to_chars(digits, digits + sizeof digits, metric.value).ptr;
    text += metric.name + (metric.labels.empty() ? "" : "{" + metric.labels + "}") + " " +
            std::string(digits, end) + "\n";
  }
  return text;
}

void SystemApi::register_routes(http::Router& router) {
  using http::Request;
  using http::Responder;
  router.add(
      http::Method::get, "/healthz",
      [](const Request&, Responder responder) {
        responder.respond(http::Response::json(200, R"({"status":"ok"})"));
      },
      http::Access::anyone);
  router.add(
      http::Method::get, "/readyz",
      [this](const Request&, Responder responder) { responder.respond(ready()); }, http::Access::anyone);
  router.add(http::Method::get, "/metrics",
             [this](const Request&, Responder responder) { responder.respond(metrics()); });
  router.add(http::Method::get, "/openapi.json", [](const Request&, Responder responder) {
    responder.respond(http::Response::json(200, std::string(openapi_document())));
  });
}

http::Response SystemApi::ready() const {
  if (readiness_ != Api::Readiness::ready) {
    const bool starting = readiness_ == Api::Readiness::starting;
    return http::to_response(
        {.status = 503,
         .code = starting ? "starting" : "shutting_down",
         .detail = starting ? "open runs are being taken up" : "the server is going down",
         .retry_after = Duration{1000}});
  }
  std::string weaker = "[";
  for (const std::string& line :
       weaker_promises_ ? weaker_promises_() : dependencies_.store.weaker_promises()) {
    if (weaker.size() > 1) weaker += ',';
    append_json_string(weaker, line);
  }
  JsonObject object;
  object.add("status", "ready").add_raw("weaker_promises", weaker + "]");
  return http::Response::json(200, object.finish());
}

std::vector<Metric> SystemApi::own_metrics() const {
  std::vector<Metric> metrics;
  metrics.push_back({"ganglion_open_runs", "Runs that have not ended.", "gauge", "",
                     static_cast<double>(dependencies_.coordinator.open_runs())});
  const auto agents = dependencies_.pool.statuses();
  const auto per_agent = [&](const char* name, const char* help, std::size_t agents::AgentStatus::* figure) {
    for (const agents::AgentStatus& agent : agents) {
      metrics.push_back(
          {name, help, "gauge", label("agent", agent.agent), static_cast<double>(agent.*figure)});
    }
  };
  per_agent("ganglion_agent_queued_tasks", "Tasks that wait for somebody to do them.",
            &agents::AgentStatus::queued);
  per_agent("ganglion_agent_handed_out_tasks", "Tasks that somebody works on.",
            &agents::AgentStatus::handed_out);
  per_agent("ganglion_agent_waiting_polls", "Polls that wait for a task.",
            &agents::AgentStatus::waiting_polls);
  static constexpr std::pair<agents::BreakerState, const char*> kStates[] = {
      {agents::BreakerState::closed, "closed"},
      {agents::BreakerState::open, "open"},
      {agents::BreakerState::half_open, "half_open"}};
  for (const agents::AgentStatus& agent : agents) {
    if (!agent.breaker) continue;
    for (const auto& [state, name] : kStates) {
      metrics.push_back({"ganglion_agent_breaker", "1 for the state that the agent's circuit breaker is in.",
                         "gauge", label("agent", agent.agent) + "," + label("state", name),
                         *agent.breaker == state ? 1.0 : 0.0});
    }
  }
  metrics.push_back({"ganglion_event_log_last_seq", "Position of the last event in the log.", "gauge", "",
                     static_cast<double>(dependencies_.events.last())});
  if (server_ != nullptr) add_http_metrics(metrics, server_->statistics());
  return metrics;
}

http::Response SystemApi::metrics() const {
  std::vector<Metric> metrics = own_metrics();
  for (const MetricSource& source : sources_) {
    for (Metric& metric : source()) metrics.push_back(std::move(metric));
  }
  return {200, "text/plain; version=0.0.4; charset=utf-8", {}, prometheus_text(metrics)};
}

}  // namespace ganglion::ingress
