#pragma once

// /healthz, /readyz, /metrics, /openapi.json. Liveness and readiness need no token, so that probes can ask.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ingress/api.h"
#include "ingress/http/exchange.h"
#include "ingress/http/message.h"

namespace ganglion::ingress {

class SystemApi {
 public:
  SystemApi(const Dependencies& dependencies, const Options& options)
      : dependencies_(dependencies), weaker_promises_(options.weaker_promises) {}

  void register_routes(http::Router& router);

  void set_readiness(Api::Readiness readiness) { readiness_ = readiness; }
  void watch(const http::Server& server) { server_ = &server; }
  void add_metrics(MetricSource source) { sources_.push_back(std::move(source)); }

 private:
  http::Response ready() const;
  http::Response metrics() const;
  std::vector<Metric> own_metrics() const;

  Dependencies dependencies_;
  std::function<std::vector<std::string>()> weaker_promises_;
  Api::Readiness readiness_ = Api::Readiness::starting;
  const http::Server* server_ = nullptr;
  std::vector<MetricSource> sources_;
};

// The text of src/ingress/openapi.json.
std::string_view openapi_document();

// Prometheus text format 0.0.4. Metrics with one name stand together.
std::string prometheus_text(const std::vector<Metric>& metrics);

}  // namespace ganglion::ingress
