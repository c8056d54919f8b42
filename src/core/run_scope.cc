#include "core/run_scope.h"

#include <utility>

#include "base/json_text.h"

namespace ganglion {
namespace {

const Payload* output_of(const StepRecord& step) {
  const auto* done = std::get_if<StepDone>(&step.state);
  return done ? &done->output : nullptr;
}

std::optional<Error> error_of(const StepRecord& step) {
  if (const auto* done = std::get_if<StepDone>(&step.state)) return done->error;
  if (const auto* broken = std::get_if<StepBroken>(&step.state)) return broken->error;
  return std::nullopt;
}

std::string error_json(const Error& error) {
  return JsonObject().add("code", error.code).add("message", error.message).finish();
}

}  // namespace

void RunScope::set_item(expr::Value item, std::size_t index) {
  item_ = std::move(item);
  index_ = index;
}

std::optional<expr::Value> RunScope::find(std::string_view name) const {
  if (name == "input") return cached(name, run_.created().input);
  if (name == "item") return item_;
  if (name == "index" && item_) return expr::Value::integer(static_cast<std::int64_t>(index_));
  if (name == "run") {
    JsonObject run;
    run.add("id", run_.id().text()).add("workflow", run_.workflow().name);
    run.add("created_at", format_rfc3339(run_.created_at()));
    return expr::Value::json(Payload(run.finish()));
  }
  if (name.starts_with("steps.")) return find_step(name.substr(6));
  return std::nullopt;
}

std::optional<expr::Value> RunScope::find_step(std::string_view path) const {
  const std::size_t dot = path.find('.');
  const auto found = run_.workflow().positions.find(path.substr(0, dot));
  if (found == run_.workflow().positions.end()) return std::nullopt;
  const StepRecord& step = run_.step(found->second);
  const Payload* output = output_of(step);
  if (dot == std::string_view::npos) {
    JsonObject whole;
    whole.add("status", run_.step_status(found->second)).add_raw("output", output ? output->bytes() : "null");
    if (const auto error = error_of(step)) whole.add_raw("error", error_json(*error));
    return expr::Value::json(Payload(whole.finish()));
  }
  const std::string_view member = path.substr(dot + 1);
  if (member == "output") return output ? cached(path, *output) : expr::Value();
  if (member == "status") return expr::Value::string(std::string(run_.step_status(found->second)));
  if (member == "error") {
    const auto error = error_of(step);
    return error ? expr::Value::json(Payload(error_json(*error))) : expr::Value();
  }
  return std::nullopt;
}

expr::Value RunScope::cached(std::string_view name, const Payload& payload) const {
  const auto found = parsed_.find(name);
  if (found != parsed_.end()) return found->second;
  return parsed_.emplace(std::string(name), expr::Value::json(payload)).first->second;
}

}  // namespace ganglion
