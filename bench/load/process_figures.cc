#include "bench/load/process_figures.h"

#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace ganglion::bench {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("can't read " + path.string());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The number after `name` at the beginning of a line; 0 if there is none.
std::uint64_t field(const std::string& text, const std::string& name) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name)) return std::stoull(line.substr(name.size()));
  }
  return 0;
}

// Of the threads that there are; a server's are there all the time. With a name: of those that have it.
double cpu_seconds(const std::filesystem::path& folder, const std::string& name = {}) {
  double nanoseconds = 0;
  for (const auto& task : std::filesystem::directory_iterator(folder / "task")) {
    if (!name.empty() && read_file(task.path() / "comm") != name + "\n") continue;
    nanoseconds += static_cast<double>(std::stoull(read_file(task.path() / "schedstat")));
  }
  return nanoseconds / 1e9;
}

}  // namespace

double own_cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

ProcessFigures process_figures(pid_t process) {
  const std::filesystem::path folder = "/proc/" + std::to_string(process);
  const std::string status = read_file(folder / "status");
  const std::string io = read_file(folder / "io");
  ProcessFigures figures;
  figures.cpu_seconds = cpu_seconds(folder);
  figures.loop_cpu_seconds = cpu_seconds(folder, "ganglion-loop");
  figures.store_cpu_seconds = cpu_seconds(folder, "ganglion-store");
  figures.resident_bytes = field(status, "VmRSS:") * 1024;
  figures.peak_bytes = field(status, "VmHWM:") * 1024;
  figures.disk_bytes = field(io, "write_bytes:");
  figures.written_bytes = field(io, "wchar:");
  figures.write_calls = field(io, "syscw:");
  for (const auto& task : std::filesystem::directory_iterator(folder / "task")) {
    figures.voluntary_switches += field(read_file(task.path() / "status"), "voluntary_ctxt_switches:");
  }
  return figures;
}

ProcessFigures sum_of(std::span<const ProcessFigures> processes) {
  ProcessFigures sum;
  for (const ProcessFigures& one : processes) {
    sum.cpu_seconds += one.cpu_seconds;
    sum.loop_cpu_seconds += one.loop_cpu_seconds;
    sum.store_cpu_seconds += one.store_cpu_seconds;
    sum.resident_bytes = std::max(sum.resident_bytes, one.resident_bytes);
    sum.peak_bytes = std::max(sum.peak_bytes, one.peak_bytes);
    sum.disk_bytes += one.disk_bytes;
    sum.written_bytes += one.written_bytes;
    sum.write_calls += one.write_calls;
    sum.voluntary_switches += one.voluntary_switches;
  }
  return sum;
}

}  // namespace ganglion::bench
