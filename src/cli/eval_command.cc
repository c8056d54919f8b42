#include "base/json_text.h"
#include "cli/argument_text.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "core/expr/bindings.h"
#include "core/expr/program.h"
#include "core/expr/typed_json.h"
#include "core/expr/vectors.h"

namespace ganglion::cli {
namespace {

Outcome<ExitCode> run_vectors(const std::string& path, Format format) {
  const auto text = read_text_file(path);
  if (!text) return std::unexpected(text.error());
  const auto report = expr::run_vectors(*text);
  if (!report) return give_up(ExitCode::usage, path + ": " + report.error().message);
  std::string failures = "[";
  for (const expr::VectorFailure& failure : report->failures) {
    if (format == Format::text) say(failure.id + ": expected " + failure.expected + ", got " + failure.got);
    JsonObject object;
    object.add("id", failure.id).add("expected", failure.expected).add("got", failure.got);
    failures += (failures.size() > 1 ? "," : "") + object.finish();
  }
  const auto passed = static_cast<std::int64_t>(report->passed),
             failed = static_cast<std::int64_t>(report->failed);
  if (format == Format::json) {
    JsonObject object;
    object.add("passed", passed).add("failed", failed).add_raw("failures", failures + "]");
    write(Stream::output, object.finish() + "\n");
  } else {
    write(Stream::output, std::to_string(passed) + " passed, " + std::to_string(failed) + " failed\n");
  }
  return failed == 0 ? ExitCode::done : ExitCode::failed;
}

// The expression with a caret below the place that is meant.
std::string pointed_at(const std::string& expression, const expr::CompileError& error) {
  std::string text = error.message;
  if (expression.contains('\n') || error.offset > expression.size()) return text;
  return text + "\n  " + expression + "\n  " + std::string(error.offset, ' ') + "^";
}

}  // namespace

Outcome<ExitCode> execute(const EvalCommand& command, const HostFactory&) {
  if (command.vectors) return run_vectors(*command.vectors, command.format);
  const std::string& expression = command.expression.value();
  expr::Bindings bindings;
  if (command.bindings) {
    const auto json = json_argument(*command.bindings, "--bindings");
    if (!json) return std::unexpected(json.error());
    auto read = expr::Bindings::from_json(*json);
    if (!read) return give_up(ExitCode::usage, "--bindings: " + read.error().message);
    bindings = *std::move(read);
  }
  const auto program = expr::Program::compile(expression);
  if (!program) return give_up(ExitCode::usage, pointed_at(expression, program.error()));
  const auto value = program->evaluate(bindings);
  if (!value) return give_up(ExitCode::failed, value.error().code + ": " + value.error().message);
  write(Stream::output, expr::typed_json(*value) + "\n");
  return ExitCode::done;
}

}  // namespace ganglion::cli
