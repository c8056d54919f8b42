#include "base/shared_library.h"

#include <dlfcn.h>

namespace ganglion {
namespace {

Error unavailable(const std::string& file, const std::string& package, const std::string& what) {
  return {"unavailable", file + " can't be used (Debian package " + package + "): " + what};
}

}  // namespace

Result<SharedLibrary> SharedLibrary::open(const char* file, const char* package) {
  void* handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return std::unexpected(unavailable(file, package, dlerror()));
  return SharedLibrary(handle, file, package);
}

void* SharedLibrary::address(const char* name) {
  void* found = dlsym(handle_, name);
  if (found == nullptr && !error_) error_ = unavailable(file_, package_, std::string("it has no ") + name);
  return found;
}

}  // namespace ganglion
