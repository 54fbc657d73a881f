// Configuration files for tests.

#pragma once

#include "runtime/config.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace covey::test {

/// The top folder of the sources.
inline std::filesystem::path source_folder() {
  return std::filesystem::path{__FILE__}
    .parent_path()
    .parent_path()
    .parent_path();
}

/// A folder of its own, gone with the object.
class temporary_folder {
public:
  temporary_folder()
    : path_(std::filesystem::temp_directory_path()
            / ("covey-config-test-" + std::to_string(::getpid()) + "-"
               + std::to_string(next_++))) {
    std::filesystem::create_directories(path_);
  }

  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  const std::filesystem::path& path() const {
    return path_;
  }

private:
  static inline int next_ = 0;

  std::filesystem::path path_;
};

/// A file with `text` in it, as long as the object lives.
class config_file {
public:
  explicit config_file(const std::string& text)
    : path_((folder_.path() / "node.conf").string()) {
    std::ofstream{path_} << text;
  }

  runtime::parse_result parse(std::vector<std::string> arguments = {}) const {
    arguments.insert(arguments.begin(), "--config-file=" + path_);
    return runtime::parse_node_config(arguments);
  }

  const std::string& path() const {
    return path_;
  }

private:
  temporary_folder folder_;
  std::string path_;
};

/// What every configuration needs.
inline constexpr const char* minimal = "[node]\nname = \"n1\"\n"
                                       "data-directory = \"./data/n1\"\n";

/// Problems of `minimal` and `text` after it, each without "config FILE: " in
/// front; in one string, a line each.
inline std::string problems(const std::string& text,
                            const std::vector<std::string>& arguments = {}) {
  config_file file{minimal + text};
  std::string result;
  auto prefix = "config " + file.path() + ": ";
  for (auto& line : file.parse(arguments).errors)
    result += (line.compare(0, prefix.size(), prefix) == 0
                 ? line.substr(prefix.size())
                 : line)
              + "\n";
  return result;
}

} // namespace covey::test
