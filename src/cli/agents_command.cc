#include <string_view>
#include <vector>

#include "cli/agent_text.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/console.h"
#include "cli/json_list.h"

namespace ganglion::cli {

Outcome<ExitCode> execute(const AgentsCommand& command, const HostFactory& make_host) {
  const auto connection = connect_to(command.target, make_host);
  if (!connection) return std::unexpected(connection.error());
  if (command.name) {
    const auto agent = connection->api->agent(*command.name);
    if (!agent) return std::unexpected(agent.error());
    write(Stream::output,
          command.format == Format::json ? agent->text + "\n" : agent_details(agent->text, output_columns()));
    return ExitCode::done;
  }
  const auto agents = connection->api->agents();
  if (!agents) return std::unexpected(agents.error());
  const auto texts = texts_of(*agents);
  write(Stream::output,
        command.format == Format::json ? list_text(texts) : agents_table(texts, output_columns()));
  return ExitCode::done;
}

}  // namespace ganglion::cli
