#include "base/curl/lib_curl.h"

#include <dlfcn.h>

#include <csignal>
#include <string>

#include "base/assert.h"

namespace ganglion {
namespace {

constexpr const char* kLibrary = "libcurl.so.4";

Error unavailable(const std::string& what) {
  return {"unavailable", "HTTP calls need libcurl (Debian package libcurl4): " + what};
}

Result<LibCurl> load() {
  void* library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return std::unexpected(unavailable(dlerror()));
  const char* missing = nullptr;
  const auto find = [&](const char* name, auto& function) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
    if (function == nullptr) missing = name;
  };
  LibCurl curl{};
  find("curl_easy_cleanup", curl.easy_cleanup);
  find("curl_easy_getinfo", curl.easy_getinfo);
  find("curl_easy_init", curl.easy_init);
  find("curl_easy_perform", curl.easy_perform);
  find("curl_easy_reset", curl.easy_reset);
  find("curl_easy_setopt", curl.easy_setopt);
  find("curl_easy_strerror", curl.easy_strerror);
  find("curl_global_init", curl.global_init);
  find("curl_multi_add_handle", curl.multi_add_handle);
  find("curl_multi_cleanup", curl.multi_cleanup);
  find("curl_multi_info_read", curl.multi_info_read);
  find("curl_multi_init", curl.multi_init);
  find("curl_multi_perform", curl.multi_perform);
  find("curl_multi_poll", curl.multi_poll);
  find("curl_multi_remove_handle", curl.multi_remove_handle);
  find("curl_multi_setopt", curl.multi_setopt);
  find("curl_multi_socket_action", curl.multi_socket_action);
  find("curl_slist_append", curl.slist_append);
  find("curl_slist_free_all", curl.slist_free_all);
  if (missing != nullptr) return std::unexpected(unavailable(std::string("it has no ") + missing));
  if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return std::unexpected(unavailable("it doesn't start"));
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
