#pragma once

// The environment of a program to be started: the engine's own, less and plus some variables.

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ganglion::agents {

class Environment {
 public:
  static Environment inherited();

  void set(std::string name, std::string value) {
    variables_.insert_or_assign(std::move(name), std::move(value));
  }
  void set(const std::map<std::string, std::string>& variables);
  void remove(std::string_view name);

  // `NAME=value`, sorted.
  std::vector<std::string> list() const;

 private:
  std::map<std::string, std::string, std::less<>> variables_;
};

}  // namespace ganglion::agents
