#pragma once

// One function per command: does it, and says how it ended. What a command prints is its own business.

#include "cli/command_line.h"
#include "cli/failure.h"
#include "cli/host.h"

namespace ganglion::cli {

Outcome<ExitCode> execute(const InitCommand& command, const HostFactory& make_host);
Outcome<ExitCode> execute(const ValidateCommand& command, const HostFactory& make_host);
Outcome<ExitCode> execute(const RunCommand& command, const HostFactory& make_host);
Outcome<ExitCode> execute(const ResumeCommand& command, const HostFactory& make_host);
Outcome<ExitCode> execute(const ServeCommand& command, const HostFactory& make_host);
Outcome<ExitCode> execute(const RunsListCommand& command, const HostFactory& make_host);
Outcome<ExitCode> execute(const RunsShowCommand& command, const HostFactory& make_host);
Outcome<ExitCode> execute(const RunsJournalCommand& command, const HostFactory& make_host);
Outcome<ExitCode> execute(const RunsVerbCommand& command, const HostFactory& make_host);
Outcome<ExitCode> execute(const RunsForkCommand& command, const HostFactory& make_host);
Outcome<ExitCode> execute(const RunsSignalCommand& command, const HostFactory& make_host);
Outcome<ExitCode> execute(const ReplayCommand& command, const HostFactory& make_host);
Outcome<ExitCode> execute(const TaxCommand& command, const HostFactory& make_host);
Outcome<ExitCode> execute(const AgentsCommand& command, const HostFactory& make_host);
Outcome<ExitCode> execute(const ApprovalsListCommand& command, const HostFactory& make_host);
Outcome<ExitCode> execute(const ApprovalsDecideCommand& command, const HostFactory& make_host);
Outcome<ExitCode> execute(const DlqListCommand& command, const HostFactory& make_host);
Outcome<ExitCode> execute(const DlqRequeueCommand& command, const HostFactory& make_host);
Outcome<ExitCode> execute(const DlqPurgeCommand& command, const HostFactory& make_host);
Outcome<ExitCode> execute(const EventsTailCommand& command, const HostFactory& make_host);
Outcome<ExitCode> execute(const EventsPublishCommand& command, const HostFactory& make_host);
Outcome<ExitCode> execute(const EvalCommand& command, const HostFactory& make_host);
Outcome<ExitCode> execute(const CompletionCommand& command, const HostFactory& make_host);
Outcome<ExitCode> execute(const VersionCommand& command, const HostFactory& make_host);

}  // namespace ganglion::cli
