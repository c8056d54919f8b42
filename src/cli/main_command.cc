#include "cli/main_command.h"

#include <cstdio>

namespace ganglion::cli {

int main_command(int, char**, HostFactory) {
  std::fputs("ganglion: no command is available yet\n", stderr);
  return 2;
}

}  // namespace ganglion::cli
