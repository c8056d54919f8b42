#include "project/actions.h"

#include "project/mentions.h"
#include "project/names.h"
#include "project/values.h"

namespace ganglion::project {
namespace {

class ActionReader {
 public:
  ActionReader(const ActionFields& fields, const StepSurroundings& around, Expressions& expressions,
               Diagnostics& diagnostics)
      : field_(fields.field),
        input_(fields.input),
        names_(fields.names),
        input_names_(fields.input_names),
        around_(around),
        expressions_(expressions),
        diagnostics_(diagnostics) {}

  ReadAction run(std::string_view action) {
    if (action == "agent") return read_call();
    if (action == "workflow") return {read_sub_run()};
    if (action == "approve") return {read_approval()};
    if (action == "wait_for") return read_wait();
    if (action == "publish") return {read_publish()};
    if (action == "set") return {read_writes()};
    if (action == "transform") return {Transform{expressions_.value(field_, names_)}};
    return {Sleep{expressions_.duration(field_, names_)}};
  }

 private:
  expr::Template read_input() {
    return input_ ? expressions_.value(*input_, input_names_) : expr::Template();
  }

  ReadAction read_call() {
    AgentCall call;
    const YamlNode& node = *field_.value;
    if (node.kind == YamlKind::text && has_expression(node)) {
      call.choice = expressions_.value(field_, names_);
      const auto text = expr::Template::text(node.text);
      if (text && text->is_literal()) {
        refuse("expected the name of an agent or an expression that gives one, got " + describe(node));
      }
    } else {
      call.agent = read_agent_name(field_, around_.agents, diagnostics_).value_or("");
    }
    const std::size_t before = expressions_.state().size();
    call.input = read_input();
    const auto& state = expressions_.state();
    return {.action = std::move(call),
            .shown_to_agent = {state.begin() + static_cast<std::ptrdiff_t>(before), state.end()}};
  }

  SubWorkflow read_sub_run() {
    SubWorkflow sub;
    sub.workflow = read_workflow_name(field_, around_.workflows, diagnostics_).value_or("");
    sub.input = read_input();
    return sub;
  }

  Approval read_approval() {
    Approval approval;
    Fields fields(field_, diagnostics_);
    if (const auto by = fields.take("by")) approval.by = read_people(*by, diagnostics_);
    if (const auto show = fields.take("show")) approval.show = expressions_.value(*show, names_);
    fields.finish();
    return approval;
  }

  ReadAction read_wait() {
    WaitFor wait;
    Fields fields(field_, diagnostics_);
    const auto timeout = fields.take("timeout");
    if (const auto event = fields.take("event")) {
      wait.event = read_pattern(*event, diagnostics_).value_or("");
    } else if (field_.value->kind == YamlKind::map) {
      refuse("a wait_for needs \"event\", the name of a signal or a pattern of topics");
    }
    if (const auto where = fields.take("where")) {
      Names names = names_;
      names.event = EventName::published;
      wait.where = expressions_.condition(*where, names);
    }
    fields.finish();
    return {.action = std::move(wait), .timeout = timeout};
  }

  Publish read_publish() {
    Publish publish;
    Fields fields(field_, diagnostics_);
    const auto topic = fields.take("topic");
    if (topic) publish.topic = read_topic(*topic, diagnostics_).value_or("");
    if (!topic && field_.value->kind == YamlKind::map) refuse("a publish needs \"topic\"");
    if (const auto data = fields.take("data")) {
      publish.data = expressions_.value(*data, names_);
      check_published(publish.topic, *data, around_.topics, diagnostics_);
    }
    fields.finish();
    return publish;
  }

  SetState read_writes() {
    SetState set;
    const auto writes = Fields(field_, diagnostics_).take_all();
    if (writes.empty() && field_.value->kind == YamlKind::map) {
      refuse("a set needs at least one key, such as {case.status: open}");
    } else if (writes.size() > kMaxStateWrites) {
      refuse(std::to_string(writes.size()) + " keys; a set has at most " + std::to_string(kMaxStateWrites));
      return set;
    }
    for (const auto& [key, value] : writes) {
      check_state_key(key, value, diagnostics_);
      set.writes.push_back({key, expressions_.value(value, names_)});
    }
    return set;
  }

  void refuse(std::string what) { diagnostics_.add(field_.position, field_.path, std::move(what)); }

  const Field& field_;
  const std::optional<Field>& input_;
  const Names& names_;
  const Names& input_names_;
  const StepSurroundings& around_;
  Expressions& expressions_;
  Diagnostics& diagnostics_;
};

}  // namespace

std::span<const std::string> actions() {
  static const std::vector<std::string> kActions = {"agent",   "workflow", "approve",   "wait_for",
                                                    "publish", "set",      "transform", "sleep"};
  return kActions;
}

bool takes_input(std::string_view action) {
  return action == "agent" || action == "workflow";
}

ReadAction read_action(const ActionFields& fields, const StepSurroundings& around, Expressions& expressions,
                       Diagnostics& diagnostics) {
  return ActionReader(fields, around, expressions, diagnostics).run(fields.action);
}

std::optional<std::string> read_workflow_name(const Field& field, const WorkflowNames& workflows,
                                              Diagnostics& diagnostics) {
  auto name = read_text(field, diagnostics);
  if (!name || workflows.contains(*name)) return name;
  diagnostics.add(field.position, field.path,
                  "no workflow \"" + *name + "\"" + diagnostics.nearest(*name, workflows));
  return std::nullopt;
}

}  // namespace ganglion::project
