#include "sim/scenario/script_reader.h"

#include <algorithm>
#include <utility>

#include "core/topic.h"
#include "project/names.h"

namespace ganglion::scenario {
namespace {

constexpr std::size_t kMaxCode = 64;
constexpr std::string_view kExample =
    "[{when: \"${{ input.n > 3 }}\", output: {ok: false}}, {output: {ok: true}}]";

class ReplyReader {
 public:
  ReplyReader(const Field& field, const AgentDefinition& agent, const Reading& reading)
      : agent_(agent),
        reading_(reading),
        fields_(field, reading.diagnostics),
        expressions_(expressions(reading, {"input", "state", "attempt", "iteration", "calls"})) {}

  Reply run() {
    Reply reply;
    const Field& owner = fields_.owner();
    if (owner.value->kind != YamlKind::map) return reply;
    if (const auto when = fields_.take("when")) reply.when = expressions_.condition(*when);
    read_outcome(reply);
    if (const auto latency = fields_.take("latency")) reply.latency = read_latency(*latency, reading_);
    if (const auto set = fields_.take("set")) reply.set = expressions_.value(*set);
    fields_.finish();
    return reply;
  }

 private:
  void read_outcome(Reply& reply) {
    const auto output = fields_.take("output");
    const auto error = fields_.take("error");
    const auto hang = fields_.take("hang");
    const auto garbage = fields_.take("garbage");
    const auto publish = fields_.take("publish");
    const auto session = fields_.take("session");
    const int given =
        int{output.has_value()} + int{error.has_value()} + int{hang.has_value()} + int{garbage.has_value()};
    if (given != 1) {
      reading_.report(fields_.owner(),
                      "needs exactly one of \"output\", \"error\", \"hang\" and \"garbage\"");
    }
    for (const auto* field : {&publish, &session}) {
      if (*field && !output) reading_.report(**field, "comes with an \"output\" and nothing else");
    }
    if (output) reply.outcome = read_output(*output, publish, session);
    if (error) reply.outcome = read_error(*error);
    if (hang) {
      read_true(*hang, reading_);
      reply.outcome = ReplyHang{};
    }
    if (garbage) {
      read_true(*garbage, reading_);
      reply.outcome = ReplyGarbage{};
    }
  }

  ReplyOutput read_output(const Field& field, const std::optional<Field>& publish,
                          const std::optional<Field>& session) {
    ReplyOutput reply;
    reply.output = expressions_.value(field);
    hold_to(agent_.output, reply.output, field, "the agent " + agent_.name, reading_);
    if (publish) {
      for (const Field& item : reading_.items(*publish, kMaxPublished, "[{topic: file.scanned, data: {}}]")) {
        reply.publish.push_back(read_event(item));
      }
    }
    if (session) {
      for (const auto& [key, value] : Fields(*session, reading_.diagnostics).take_all()) {
        project::check_state_key(key, value, reading_.diagnostics);
        if (!any_matches(agent_.state.write, key)) {
          reading_.report(value, "the agent " + agent_.name + " may not write the key \"" + key +
                                     "\": its state.write in the project doesn't allow it");
        }
        reply.session.push_back({key, expressions_.value(value)});
      }
    }
    return reply;
  }

  ReplyOutput::Event read_event(const Field& field) {
    ReplyOutput::Event event;
    Fields fields(field, reading_.diagnostics);
    const auto topic = fields.take("topic");
    const auto data = fields.take("data");
    if (topic) event.topic = project::read_topic(*topic, reading_.diagnostics).value_or("");
    if (topic && is_topic(event.topic) && !any_matches(agent_.publishes, event.topic)) {
      reading_.report(*topic, "the agent " + agent_.name + " may not publish \"" + event.topic +
                                  "\": its \"publishes\" in the project doesn't allow it");
    }
    if (!topic) reading_.report(field, "needs \"topic\"");
    if (data) event.data = expressions_.value(*data);
    fields.finish();
    return event;
  }

  ReplyError read_error(const Field& field) {
    ReplyError reply;
    Fields fields(field, reading_.diagnostics);
    if (const auto code = fields.take("code")) {
      reply.code = read_error_code(*code, reading_).value_or(reply.code);
    } else {
      reading_.report(field, "needs \"code\", such as {code: no_route, message: no road, retryable: false}");
    }
    if (const auto message = fields.take("message")) {
      reply.message = expressions_.value(*message);
    } else {
      reply.message = expr::Template::literal(Payload("\"an error of the simulation\""));
    }
    if (const auto retryable = fields.take("retryable")) {
      reply.retryable = read_flag(*retryable, reading_).value_or(reply.retryable);
    }
    fields.finish();
    return reply;
  }

  const AgentDefinition& agent_;
  const Reading& reading_;
  Fields fields_;
  project::ExpressionReader expressions_;
};

}  // namespace

std::vector<Reply> read_script(const Field& field, const AgentDefinition& agent, const Reading& reading) {
  std::vector<Reply> script;
  const auto items = reading.items(field, kMaxScript, kExample);
  for (const Field& item : items) {
    if (!script.empty() && !script.back().when && script.size() < items.size()) {
      reading.report(item, "never reached: the entry before it has no \"when\" and always answers");
      break;
    }
    script.push_back(ReplyReader(item, agent, reading).run());
  }
  if (field.value->kind == YamlKind::list && items.empty() && field.value->items.empty()) {
    reading.report(field, "a script needs at least one entry");
  }
  return script;
}

std::optional<std::string> read_error_code(const Field& field, const Reading& reading) {
  auto code = project::read_text(field, reading.diagnostics);
  if (!code) return std::nullopt;
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  if (!code->empty() && code->size() <= kMaxCode && std::ranges::all_of(*code, fits)) return code;
  reading.report(field, "no code: codes are at most " + std::to_string(kMaxCode) +
                            " lower-case letters, digits and '_', such as no_route");
  return std::nullopt;
}

std::optional<bool> read_flag(const Field& field, const Reading& reading) {
  if (field.value->kind == YamlKind::boolean) return project::boolean_of(*field.value);
  reading.report(field, "expected true or false, got " + describe(*field.value));
  return std::nullopt;
}

}  // namespace ganglion::scenario
