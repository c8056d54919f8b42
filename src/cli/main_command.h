#pragma once

// `ganglion` from its arguments to its exit code: 0 done, 1 the run failed or was cancelled (or an expression
// or a vector failed), 2 bad usage or an invalid file, 3 no server or store, 130 interrupted.

#include <functional>

#include "cli/failure.h"
#include "cli/host.h"

namespace ganglion::cli {

struct BenchCommand;
struct SimCommand;
// `ganglion sim`, which the composition root puts together with what it simulates.
using Simulate = std::function<Outcome<ExitCode>(const SimCommand& command)>;
// `ganglion bench`, likewise.
using Benchmark = std::function<Outcome<ExitCode>(const BenchCommand& command)>;

int main_command(int argc, char** argv, const HostFactory& make_host, const Simulate& simulate,
                 const Benchmark& benchmark);

}  // namespace ganglion::cli
