#include "cli/argument_text.h"

#include <boost/json.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

namespace ganglion::cli {
namespace {

Outcome<std::string> read_all(std::FILE* file, const std::string& name) {
  std::string text;
  for (char buffer[65536]; const std::size_t count = std::fread(buffer, 1, sizeof buffer, file);) {
    text.append(buffer, count);
    if (text.size() > kMaxArgumentFile) return give_up(ExitCode::usage, name + " is too large");
  }
  if (std::ferror(file) != 0)
    return give_up(ExitCode::usage, "can't read " + name + ": " + std::strerror(errno));
  return text;
}

}  // namespace

Outcome<std::string> read_text_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file) return give_up(ExitCode::usage, "can't read " + path + ": " + std::strerror(errno));
  return read_all(file.get(), path);
}

Outcome<std::string> json_argument(const std::string& argument, const std::string& option) {
  Outcome<std::string> text = argument == "-"             ? read_all(stdin, "standard input")
                              : argument.starts_with('@') ? read_text_file(argument.substr(1))
                                                          : Outcome<std::string>(argument);
  if (!text) return text;
  boost::json::error_code error;
  boost::json::stream_parser parser({}, boost::json::parse_options{.max_depth = 128});
  std::size_t read = parser.write_some(*text, error);
  if (!error) parser.finish(error);
  while (!error && read < text->size() && std::string_view(" \t\r\n").contains((*text)[read])) ++read;
  const std::string where = argument.starts_with('@') || argument == "-" ? " " + argument : "";
  const auto not_json = [&](const std::string& why) {
    return give_up(ExitCode::usage,
                   option + where + " is not JSON: " + why + " at byte " + std::to_string(read) +
                       "; strings need double quotes, and the shell single ones around all of it");
  };
  if (error) return not_json(error.message());
  if (read != text->size()) return not_json("more text after the value");
  return text;
}

}  // namespace ganglion::cli
