#include "ingress/blob_check.h"

#include <memory>
#include <utility>

namespace ganglion::ingress {
namespace {

struct Check {
  Store& store;
  std::vector<std::string> digests;
  std::move_only_function<void(Result<void>)> done;

  // One after another; the first that is missing is the answer.
  static void next(std::unique_ptr<Check> check) {
    if (check->digests.empty()) return check->done({});
    const std::string digest = std::move(check->digests.back());
    check->digests.pop_back();
    Store& store = check->store;
    store.has_blob(digest, [digest, check = std::move(check)](Result<bool> found) mutable {
      if (!found) return check->done(std::unexpected(found.error()));
      if (*found) return next(std::move(check));
      check->done(
          fail("unknown_blob", "there is no blob " + digest + "; PUT /v1/blobs/" + digest + " first"));
    });
  }
};

}  // namespace

void check_blobs(Store& store, std::vector<std::string> digests,
                 std::move_only_function<void(Result<void>)> done) {
  Check::next(std::make_unique<Check>(store, std::move(digests), std::move(done)));
}

}  // namespace ganglion::ingress
