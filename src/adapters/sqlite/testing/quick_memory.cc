// A sweep opens a store some thousand times, and each time SQLite asks for memory some thousand times: with a
// sanitizer's allocator that is most of what a sweep takes. SQLite itself is not instrumented, so a sweep
// lets it have the C library's own, and the sanitizer writes down less about the rest. The other tests of the
// store run with everything that the sanitizer has.

#include <sqlite3.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "adapters/sqlite/testing/sweep_run.h"

extern "C" {
void* __libc_malloc(std::size_t size);
void __libc_free(void* memory);
// Read by the sanitizer's runtime; what the environment says comes after.
const char* __asan_default_options() {
  return "malloc_context_size=4:quarantine_size_mb=8:max_malloc_fill_size=0";
}
}

namespace ganglion::sqlite::testing {
namespace {

constexpr std::size_t kHeader = 16;  // holds the size

std::size_t& size_in(void* memory) {
  return *reinterpret_cast<std::size_t*>(static_cast<char*>(memory) - kHeader);
}

void* allocate(int size) {
  auto* memory = static_cast<char*>(__libc_malloc(static_cast<std::size_t>(size) + kHeader));
  if (memory == nullptr) return nullptr;
  memory += kHeader;
  size_in(memory) = static_cast<std::size_t>(size);
  return memory;
}

void release(void* memory) {
  if (memory != nullptr) __libc_free(static_cast<char*>(memory) - kHeader);
}

void* resize(void* memory, int size) {
  void* larger = allocate(size);
  if (larger == nullptr) return nullptr;
  std::memcpy(larger, memory, std::min(size_in(memory), static_cast<std::size_t>(size)));
  release(memory);
  return larger;
}

}  // namespace

void use_quick_memory() {
  static const sqlite3_mem_methods kMethods = {
      .xMalloc = allocate,
      .xFree = release,
      .xRealloc = resize,
      .xSize = [](void* memory) { return memory == nullptr ? 0 : static_cast<int>(size_in(memory)); },
      .xRoundup = [](int size) { return (size + 15) & ~15; },
      .xInit = [](void*) { return SQLITE_OK; },
      .xShutdown = [](void*) {},
      .pAppData = nullptr};
  // Refused once SQLite is in use, which is no harm.
  sqlite3_config(SQLITE_CONFIG_MALLOC, &kMethods);
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

}  // namespace ganglion::sqlite::testing
