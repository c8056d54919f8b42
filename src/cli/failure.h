#pragma once

// How a command ends.

#include <expected>
#include <string>
#include <utility>

namespace ganglion::cli {

enum class ExitCode : int {
  done = 0,
  failed = 1,       // the run failed or was cancelled; a vector failed
  usage = 2,        // bad usage, or an invalid file or input
  unreachable = 3,  // no server, no store
  interrupted = 130,
};

// A command that can't do what was asked: printed as `ganglion: text`.
struct Failure {
  ExitCode exit = ExitCode::usage;
  std::string text;
};

template <typename T>
using Outcome = std::expected<T, Failure>;

inline std::unexpected<Failure> give_up(ExitCode exit, std::string text) {
  return std::unexpected(Failure{exit, std::move(text)});
}

}  // namespace ganglion::cli
