#pragma once

// `ganglion` from its arguments to its exit code: 0 done, 1 the run failed or was cancelled (or an expression
// or a vector failed), 2 bad usage or an invalid file, 3 no server or store, 130 interrupted.

#include "cli/host.h"

namespace ganglion::cli {

int main_command(int argc, char** argv, HostFactory make_host);

}  // namespace ganglion::cli
