#pragma once

// A library that is loaded when it is first used, for what brings many others with it and what most servers
// don't need.

#include <optional>
#include <string>

#include "base/result.h"

namespace ganglion {

class SharedLibrary {
 public:
  // Never unloaded. Error `unavailable`, which names the Debian package that has the file.
  static Result<SharedLibrary> open(const char* file, const char* package);

  // Sets the function of this name; error() says of the first that was not there.
  template <typename Function>
  void find(const char* name, Function*& function) {
    function = reinterpret_cast<Function*>(address(name));
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  SharedLibrary(void* handle, const char* file, const char* package)
      : handle_(handle), file_(file), package_(package) {}
  void* address(const char* name);

  void* handle_;
  std::string file_, package_;
  std::optional<Error> error_;
};

}  // namespace ganglion
