#include "core/run_scope.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/json_text.h"
#include "core/topic.h"

namespace ganglion {
namespace {

const ReadableValue* output_of(const StepRecord& step) {
  const auto* done = std::get_if<StepDone>(&step.state);
  return done ? &done->output : nullptr;
}

std::optional<Error> error_of(const StepRecord& step) {
  const auto* done = std::get_if<StepDone>(&step.state);
  if (done && done->error.is_present()) return *done->error;
  if (const auto* broken = std::get_if<StepBroken>(&step.state)) return *broken->error;
  return std::nullopt;
}

std::string error_json(const Error& error) {
  return JsonObject().add("code", error.code).add("message", error.message).finish();
}

}  // namespace

void RunScope::enter(StepIndex step, ItemIndex item, const Payload* own_output) {
  self_ = step;
  own_output_.reset();
  if (own_output) own_output_ = expr::Value::json(*own_output);
  if (!run_.definition(step).for_each) return;
  const expr::Value& items = run_.step(step).details->items;
  if (item.value() < items.size()) enter_item(items.at(item.value()), item.value());
}

void RunScope::enter_item(expr::Value item, std::size_t index) {
  item_ = std::move(item);
  index_ = index;
}

void RunScope::leave() {
  item_.reset();
  self_.reset();
  own_output_.reset();
  event_.reset();
}

std::optional<expr::Value> RunScope::find(std::string_view name) const {
  if (name == "input") return cached(name, run_.input());
  if (name == "item") return item_;
  if (name == "index" && item_) return expr::Value::integer(static_cast<std::int64_t>(index_));
  if (name == "event") return event_;
  if (name == "run") {
    JsonObject run;
    run.add("id", run_.id().text()).add("workflow", run_.workflow().name);
    run.add("created_at", format_rfc3339(run_.created_at()));
    return expr::Value::json(Payload(run.finish()));
  }
  if (name == "session") {
    const auto& id = run_.created().session_id;
    return expr::Value::object({{"id", id ? expr::Value::string(*id) : expr::Value()}});
  }
  if (name == "state") return find_state("");
  if (name.starts_with("state.")) return find_state(name.substr(6));
  if (name.starts_with("steps.")) return find_step(name.substr(6));
  return std::nullopt;
}

void RunScope::write_state(const StateWrite& write) {
  if (!written_) written_ = state_ ? *state_ : StateSnapshot();
  state_ = &*written_;
  if (write.value) {
    written_->entries.insert_or_assign(write.key,
                                       StateEntry{*write.value, written_->version, write.expires_at});
  } else {
    written_->entries.erase(write.key);
  }
}

bool RunScope::is_readable(std::string_view key) const {
  return std::ranges::all_of(
      readers_, [key](const AgentDefinition* reader) { return any_matches(reader->state.read, key); });
}

// The key itself, or the keys below it as an object of objects; nothing where there are none.
std::optional<expr::Value> RunScope::find_state(std::string_view path) const {
  const auto exact = state_ ? state_->entries.find(path) : decltype(state_->entries.end()){};
  if (state_ && exact != state_->entries.end() && is_readable(path)) {
    return expr::Value::json(exact->second.value);
  }
  std::vector<std::pair<std::string, expr::Value>> members;
  std::set<std::string> words;
  const std::string prefix = path.empty() ? "" : std::string(path) + ".";
  auto at = state_ ? state_->entries.lower_bound(prefix) : decltype(state_->entries.end()){};
  while (state_ && at != state_->entries.end() && at->first.starts_with(prefix)) {
    const std::string word =
        at->first.substr(prefix.size(), at->first.find('.', prefix.size()) - prefix.size());
    // Its keys need not stand side by side: `a`, `a-b`, `a.c`.
    if (words.insert(word).second) {
      if (auto below = find_state(prefix + word)) members.emplace_back(word, *std::move(below));
    }
    // On to the next word.
    const std::string last = prefix + word;
    while (at != state_->entries.end() && (at->first == last || at->first.starts_with(last + "."))) ++at;
  }
  if (members.empty() && !path.empty()) return std::nullopt;
  return expr::Value::object(std::move(members));
}

std::optional<expr::Value> RunScope::find_step(std::string_view path) const {
  const std::size_t dot = path.find('.');
  const auto found = run_.workflow().positions.find(path.substr(0, dot));
  if (found == run_.workflow().positions.end()) return std::nullopt;
  const StepIndex index = found->second;
  const StepRecord& step = run_.step(index);
  const ReadableValue* done = output_of(step);
  const auto output = [&]() -> expr::Value {
    if (self_ == index && own_output_) return *own_output_;
    return done ? cached(std::string(path.substr(0, dot)) + ".output", *done) : expr::Value();
  };
  const auto error = [&]() -> expr::Value {
    const auto what = error_of(step);
    return what ? expr::Value::json(Payload(error_json(*what))) : expr::Value();
  };
  const auto status = [&] { return expr::Value::string(std::string(run_.step_status(index))); };
  if (dot == std::string_view::npos) {
    std::vector<std::pair<std::string, expr::Value>> members = {{"status", status()}, {"output", output()}};
    if (expr::Value what = error(); !what.is_null()) members.emplace_back("error", std::move(what));
    return expr::Value::object(std::move(members));
  }
  const std::string_view member = path.substr(dot + 1);
  if (member == "output") return output();
  if (member == "status") return status();
  if (member == "error") return error();
  return std::nullopt;
}

expr::Value RunScope::cached(std::string_view name, const ReadableValue& value) const {
  const auto found = parsed_.find(name);
  if (found != parsed_.end()) return found->second;
  return parsed_.emplace(std::string(name), value.value()).first->second;
}

}  // namespace ganglion
