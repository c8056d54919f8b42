#include "bench/load/row.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "base/json_text.h"
#include "bench/load/text.h"

namespace ganglion::bench {
namespace {

double ms(Histogram::Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

double rounded(double value) {
  return std::round(value * 1000) / 1000;
}

std::string histogram_json(const Histogram& histogram) {
  JsonObject object;
  object.add("count", static_cast<std::int64_t>(histogram.count()));
  object.add_number("p50", rounded(ms(histogram.quantile(0.5))));
  object.add_number("p90", rounded(ms(histogram.quantile(0.9))));
  object.add_number("p99", rounded(ms(histogram.quantile(0.99))));
  object.add_number("p999", rounded(ms(histogram.quantile(0.999))));
  object.add_number("max", rounded(ms(histogram.max())));
  object.add_number("mean", rounded(ms(histogram.mean())));
  return object.finish();
}

void add(JsonObject& object, const char* name, std::optional<double> value) {
  if (value) object.add_number(name, rounded(*value));
}

std::string server_json(const Row& row) {
  JsonObject server;
  add(server, "cpu_ms_per_step", row.cpu_ms_per_step);
  add(server, "cores", row.cores);
  add(server, "loop_us_per_step", row.loop_us_per_step);
  add(server, "store_us_per_step", row.store_us_per_step);
  add(server, "loop_cores", row.loop_cores);
  add(server, "resident_at_rest_mib", row.resident_at_rest_mib);
  add(server, "resident_mib", row.resident_mib);
  add(server, "peak_mib", row.peak_mib);
  add(server, "disk_bytes_per_step", row.disk_bytes_per_step);
  add(server, "written_bytes_per_step", row.written_bytes_per_step);
  add(server, "syncs_per_1000_steps", row.syncs_per_1000_steps);
  add(server, "disk_share", row.disk_share());
  add(server, "commits_per_1000_steps", row.commits_per_1000_steps);
  if (!row.peaks_mib.empty()) {
    std::string peaks = "[";
    for (const double peak : row.peaks_mib) peaks += (peaks.size() > 1 ? "," : "") + fixed_text(peak, 1);
    server.add_raw("peaks_mib", peaks + "]");
  }
  return server.finish();
}

std::string recovery_json(const Recovery& recovery) {
  JsonObject object;
  object.add("in_flight", static_cast<std::int64_t>(recovery.in_flight));
  object.add("acknowledged", static_cast<std::int64_t>(recovery.acknowledged));
  object.add("lost", static_cast<std::int64_t>(recovery.lost));
  object.add("failed", static_cast<std::int64_t>(recovery.failed));
  object.add_number("noticed_ms", rounded(ms(recovery.noticed_after)));
  object.add_number("going_on_ms", rounded(ms(recovery.going_on_after)));
  return object.finish();
}

std::string cell(std::optional<double> value, const char* unit = "") {
  if (!value) return "-";
  const std::string text = *value >= 100 ? number_text(*value) : short_text(*value, 3);
  return text + unit;
}

std::string bytes_text(std::optional<double> bytes) {
  if (!bytes) return "-";
  return *bytes >= 10'000 ? fixed_text(*bytes / 1000, 1) + " KB" : fixed_text(*bytes, 0) + " B";
}

std::string latency_text(const Histogram& histogram, double of) {
  return histogram.count() == 0 ? "-" : duration_text(histogram.quantile(of));
}

std::string list_text(const std::vector<double>& values) {
  std::string text;
  for (const double value : values) text += (text.empty() ? "" : " · ") + short_text(value, 3);
  return text;
}

}  // namespace

std::string row_json(const Row& row) {
  JsonObject object;
  object.add("workload", row.workload).add("loop", row.rate ? "open" : "closed");
  if (row.strategy) object.add("strategy", *row.strategy).add("coordinators", std::int64_t{row.coordinators});
  object.add("clients", std::int64_t{row.clients}).add("workers", std::int64_t{row.workers});
  add(object, "rate", row.rate);
  add(object, "disk_syncs_per_s", row.appends_per_s);
  object.add_number("load_average", rounded(row.load_average)).add_number("seconds", rounded(row.seconds));
  object.add("runs", static_cast<std::int64_t>(row.runs)).add("steps", static_cast<std::int64_t>(row.tasks));
  object.add("completed", static_cast<std::int64_t>(row.completed));
  object.add("failed", static_cast<std::int64_t>(row.failed));
  object.add("unfinished", static_cast<std::int64_t>(row.unfinished));
  if (row.strategy) {
    object.add("stale_results", static_cast<std::int64_t>(row.stale));
    object.add("taken_for_dead", static_cast<std::int64_t>(row.taken_for_dead));
  }
  object.add_number("runs_per_s", rounded(row.runs_per_s()))
      .add_number("steps_per_s", rounded(row.steps_per_s()));
  object.add_raw("run_ms", histogram_json(row.run)).add_raw("step_ms", histogram_json(row.step));
  object.add_number("tasks_per_exchange", rounded(row.tasks_per_exchange));
  object.add_number("load_cores", rounded(row.load_cores));
  if (row.recovery) object.add_raw("recovery", recovery_json(*row.recovery));
  return object.add_raw("server", server_json(row)).finish();
}

std::string Row::title() const {
  if (!strategy) return workload;
  return *strategy + ", " + std::to_string(coordinators) +
         (coordinators == 1 ? " coordinator: " : " coordinators: ") + workload;
}

std::optional<double> Row::disk_share() const {
  if (!syncs_per_1000_steps || !appends_per_s || *appends_per_s == 0) return std::nullopt;
  return *syncs_per_1000_steps / 1000 * steps_per_s() / *appends_per_s;
}

RowTable table_of(const std::vector<Row>& rows) {
  RowTable table;
  table.header = {rows.empty() ? "" : rows.front().workload};
  for (const Row& row : rows) {
    const std::string clients = number_text(row.clients) + (row.clients == 1 ? " client" : " clients");
    table.header.push_back(row.rate ? cell(row.rate, "/s") + ", " + clients : clients);
  }
  using Cell = std::function<std::string(const Row&)>;
  const auto add_line = [&](std::string label, const Cell& text) {
    std::vector<std::string> line = {std::move(label)};
    for (const Row& row : rows) line.push_back(text(row));
    table.lines.push_back(std::move(line));
  };
  const auto add_latency = [&](const std::string& label, Histogram Row::* histogram) {
    for (const auto& [of, name] : {std::pair{0.5, "p50"}, {0.9, "p90"}, {0.99, "p99"}, {0.999, "p99.9"}}) {
      add_line(label + " " + name, [=](const Row& row) { return latency_text(row.*histogram, of); });
    }
  };
  add_line("disk: fsyncs/s before", [](const Row& row) { return cell(row.appends_per_s); });
  add_line("runs/s", [](const Row& row) { return cell(row.runs_per_s()); });
  add_line("steps/s", [](const Row& row) { return cell(row.steps_per_s()); });
  add_latency("run", &Row::run);
  add_latency("step", &Row::step);
  add_line("server: CPU a step", [](const Row& row) { return cell(row.cpu_ms_per_step, " ms"); });
  add_line("server: at rest", [](const Row& row) { return cell(row.resident_at_rest_mib, " MiB"); });
  add_line("server: peak", [](const Row& row) { return cell(row.peak_mib, " MiB"); });
  add_line("written a step", [](const Row& row) { return bytes_text(row.disk_bytes_per_step); });
  add_line("fsyncs/1,000 steps", [](const Row& row) { return cell(row.syncs_per_1000_steps); });
  add_line("share of the disk's", [](const Row& row) {
    const auto share = row.disk_share();
    return cell(share ? std::optional(*share * 100) : std::nullopt, " %");
  });
  add_line("load: cores used", [](const Row& row) { return cell(row.load_cores); });
  if (std::ranges::any_of(rows, [](const Row& row) { return row.unfinished > 0; }))
    add_line("unfinished runs",
             [](const Row& row) { return number_text(static_cast<double>(row.unfinished)); });
  if (std::ranges::any_of(rows, [](const Row& row) { return row.failed > 0; }))
    add_line("failed runs", [](const Row& row) { return number_text(static_cast<double>(row.failed)); });
  return table;
}

RowTable strategy_table(const std::vector<Row>& rows) {
  const auto count = [](std::size_t number) { return number_text(static_cast<double>(number)); };
  RowTable table;
  table.header = {"strategy",  "coordinators", "a run is", "clients",  "runs/s", "steps/s",
                  "run p50",   "run p99",      "step p50", "step p99", "cores",  "peak MiB, each",
                  "in flight", "noticed",      "going on", "lost",     "failed"};
  for (const Row& row : rows) {
    table.lines.push_back({row.strategy.value_or(""), std::to_string(row.coordinators), row.workload,
                           number_text(row.clients), cell(row.runs_per_s()), cell(row.steps_per_s()),
                           latency_text(row.run, 0.5), latency_text(row.run, 0.99),
                           latency_text(row.step, 0.5), latency_text(row.step, 0.99), cell(row.cores),
                           list_text(row.peaks_mib)});
    auto& line = table.lines.back();
    if (!row.recovery) {
      line.resize(table.header.size(), "-");
      continue;
    }
    const Recovery& recovery = *row.recovery;
    line.push_back(count(recovery.in_flight));
    line.push_back(duration_text(recovery.noticed_after));
    line.push_back(duration_text(recovery.going_on_after));
    line.push_back(count(recovery.lost));
    line.push_back(count(recovery.failed));
  }
  return table;
}

}  // namespace ganglion::bench
