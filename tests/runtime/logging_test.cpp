// The log as an operator finds it in a file.

#define CAF_SUITE runtime.logging

#include "runtime/logging.hpp"
#include "tests/runtime/config_files.hpp"

#include <caf/test/unit_test.hpp>
#include <spdlog/spdlog.h>

#include <regex>
#include <sstream>

using namespace covey::runtime;
using namespace covey::test;

namespace {

std::string read(const std::string& path) {
  std::ifstream in{path};
  std::stringstream result;
  result << in.rdbuf();
  return result.str();
}

} // namespace

CAF_TEST(lines have time and level and are out at once) {
  temporary_folder folder;
  auto path = (folder.path() / "log").string();
  CAF_CHECK_EQUAL(start_logging(log_level::info, path), "");
  spdlog::debug("node n1 is not heard");
  spdlog::info("node n1 starts");
  std::regex line{
    "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}[+-]\\d\\d:"
    "\\d\\d info node n1 starts\n"};
  CAF_CHECK(std::regex_match(read(path), line));
  CAF_CHECK_EQUAL(start_logging(log_level::off, path), "");
  spdlog::error("nobody hears this");
  CAF_CHECK(std::regex_match(read(path), line));
  CAF_CHECK_EQUAL(start_logging(log_level::info, ""), "");
}

CAF_TEST(a log file that cannot be written is said by its knob) {
  temporary_folder folder;
  auto path = folder.path().string();
  CAF_CHECK_EQUAL(start_logging(log_level::info, path),
                  "log.file = \"" + path
                    + "\" is a directory: name a file in it");
  std::ofstream{path + "/file"};
  auto problem = start_logging(log_level::info, path + "/file/log");
  auto start = "log.file = \"" + path + "/file/log\" cannot be written: ";
  CAF_CHECK_EQUAL(problem.substr(0, start.size()), start);
}
