#pragma once

// Cuts a stream of bytes into readable lines of bounded length.

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace ganglion::agents {

class Lines {
 public:
  using Receiver = std::move_only_function<void(std::string_view line)>;

  Lines(std::size_t max_line, Receiver receive) : max_line_(max_line), receive_(std::move(receive)) {}

  void append(std::string_view bytes);
  // The stream has ended: what is left is a line too.
  void finish();

 private:
  void emit();

  std::size_t max_line_;
  Receiver receive_;
  std::string partial_;
};

}  // namespace ganglion::agents
