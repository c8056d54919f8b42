#include "base/shared_library.h"

#include <gtest/gtest.h>

namespace ganglion {
namespace {

TEST(SharedLibrary, GivesFunctionsByTheirNames) {
  Result<SharedLibrary> library = SharedLibrary::open("libm.so.6", "libc6");
  ASSERT_TRUE(library) << library.error().message;
  double (*root)(double) = nullptr;
  library->find("sqrt", root);
  ASSERT_FALSE(library->error());
  EXPECT_EQ(root(9), 3);
}

TEST(SharedLibrary, SaysWhatIsMissingAndWhatHasIt) {
  const Result<SharedLibrary> none = SharedLibrary::open("libnone.so.0", "libnone0");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, "unavailable");
  EXPECT_TRUE(none.error().message.starts_with("libnone.so.0 can't be used (Debian package libnone0): "))
      << none.error().message;

  Result<SharedLibrary> library = SharedLibrary::open("libm.so.6", "libc6");
  ASSERT_TRUE(library);
  void (*function)() = nullptr;
  library->find("no_such_function", function);
  EXPECT_EQ(function, nullptr);
  ASSERT_TRUE(library->error());
  EXPECT_EQ(library->error()->message,
            "libm.so.6 can't be used (Debian package libc6): it has no no_such_function");
}

}  // namespace
}  // namespace ganglion
