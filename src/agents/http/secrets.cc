#include "agents/http/secrets.h"

#include <algorithm>
#include <cstdlib>

namespace ganglion::agents {
namespace {

constexpr std::string_view kOpen = "${{";
constexpr std::string_view kClose = "}}";
constexpr std::string_view kPrefix = "secrets.";

// The name in ` secrets.NAME `, or nothing if that isn't what stands there.
std::optional<std::string> secret_name(std::string_view expression) {
  const std::size_t first = expression.find_first_not_of(' ');
  if (first == std::string_view::npos) return std::nullopt;
  expression = expression.substr(first, expression.find_last_not_of(' ') - first + 1);
  if (!expression.starts_with(kPrefix)) return std::nullopt;
  expression.remove_prefix(kPrefix.size());
  const bool named = !expression.empty() && std::ranges::all_of(expression, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
  if (!named) return std::nullopt;
  return std::string(expression);
}

bool fits_into_a_header(std::string_view value) {
  return std::ranges::none_of(
      value, [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F; });
}

}  // namespace

std::optional<std::string> secret_from_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (!value) return std::nullopt;
  return value;
}

Result<std::string> fill_in_secrets(std::string_view text, SecretSource& secrets) {
  std::string filled;
  while (true) {
    const std::size_t open = text.find(kOpen);
    const std::size_t close = open == std::string_view::npos ? open : text.find(kClose, open);
    if (close == std::string_view::npos) break;
    const std::string_view expression = text.substr(open + kOpen.size(), close - open - kOpen.size());
    const auto name = secret_name(expression);
    if (!name) {
      return fail("missing_secret",
                  "only ${{ secrets.NAME }} can stand in the url and headers of an agent, not ${{" +
                      std::string(expression) + "}}");
    }
    const auto value = secrets(*name);
    if (!value)
      return fail("missing_secret",
                  "the secret " + *name + " is not set; set the environment variable " + *name);
    if (!fits_into_a_header(*value)) {
      return fail("missing_secret",
                  "the secret " + *name + " has a line end or another control character in it");
    }
    filled += text.substr(0, open);
    filled += *value;
    text.remove_prefix(close + kClose.size());
  }
  return filled.append(text);
}

}  // namespace ganglion::agents
