#include "base/curl/lib_curl.h"

#include <csignal>

#include "base/assert.h"
#include "base/shared_library.h"

namespace ganglion {
namespace {

Result<LibCurl> load() {
  Result<SharedLibrary> library = SharedLibrary::open("libcurl.so.4", "libcurl4");
  if (!library) return std::unexpected(library.error());
  LibCurl curl{};
  library->find("curl_easy_cleanup", curl.easy_cleanup);
  library->find("curl_easy_getinfo", curl.easy_getinfo);
  library->find("curl_easy_init", curl.easy_init);
  library->find("curl_easy_perform", curl.easy_perform);
  library->find("curl_easy_reset", curl.easy_reset);
  library->find("curl_easy_setopt", curl.easy_setopt);
  library->find("curl_easy_strerror", curl.easy_strerror);
  library->find("curl_global_init", curl.global_init);
  library->find("curl_multi_add_handle", curl.multi_add_handle);
  library->find("curl_multi_cleanup", curl.multi_cleanup);
  library->find("curl_multi_info_read", curl.multi_info_read);
  library->find("curl_multi_init", curl.multi_init);
  library->find("curl_multi_perform", curl.multi_perform);
  library->find("curl_multi_poll", curl.multi_poll);
  library->find("curl_multi_remove_handle", curl.multi_remove_handle);
  library->find("curl_multi_setopt", curl.multi_setopt);
  library->find("curl_multi_socket_action", curl.multi_socket_action);
  library->find("curl_slist_append", curl.slist_append);
  library->find("curl_slist_free_all", curl.slist_free_all);
  if (library->error()) return std::unexpected(*library->error());
  if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return fail("unavailable", "libcurl doesn't start");
  std::signal(SIGPIPE, SIG_IGN);
  return curl;
}

}  // namespace

const Result<LibCurl>& load_curl() {
  static const Result<LibCurl> loaded = load();
  return loaded;
}

const LibCurl& curl() {
  GANGLION_ASSERT(load_curl());
  return *load_curl();
}

}  // namespace ganglion
