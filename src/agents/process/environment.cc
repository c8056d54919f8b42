#include "agents/process/environment.h"

#include <unistd.h>

namespace ganglion::agents {

Environment Environment::inherited() {
  Environment environment;
  for (char** at = environ; at && *at; ++at) {
    const std::string_view variable = *at;
    const std::size_t sign = variable.find('=');
    if (sign == std::string_view::npos || sign == 0) continue;
    environment.set(std::string(variable.substr(0, sign)), std::string(variable.substr(sign + 1)));
  }
  return environment;
}

void Environment::set(const std::map<std::string, std::string>& variables) {
  for (const auto& [name, value] : variables) set(name, value);
}

void Environment::remove(std::string_view name) {
  const auto at = variables_.find(name);
  if (at != variables_.end()) variables_.erase(at);
}

std::vector<std::string> Environment::list() const {
  std::vector<std::string> list;
  list.reserve(variables_.size());
  for (const auto& [name, value] : variables_) list.push_back(name + "=" + value);
  return list;
}

}  // namespace ganglion::agents
