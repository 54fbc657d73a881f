#include "runtime/logging.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <exception>
#include <filesystem>
#include <memory>
#include <utility>

namespace covey::runtime {

namespace {

spdlog::level::level_enum to_spdlog(log_level x) {
  switch (x) {
    case log_level::trace:
      return spdlog::level::trace;
    case log_level::debug:
      return spdlog::level::debug;
    case log_level::info:
      return spdlog::level::info;
    case log_level::warn:
      return spdlog::level::warn;
    case log_level::error:
      return spdlog::level::err;
    case log_level::off:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

spdlog::sink_ptr make_sink(const std::string& file) {
  if (file.empty())
    return std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  return std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
}

} // namespace

std::string start_logging(log_level level, const std::string& file) {
  std::error_code ignored;
  if (!file.empty() && std::filesystem::is_directory(file, ignored))
    return "log.file = \"" + file + "\" is a directory: name a file in it";
  try {
    auto logger = std::make_shared<spdlog::logger>("covey", make_sink(file));
    logger->set_level(to_spdlog(level));
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
    logger->flush_on(spdlog::level::info);
    spdlog::set_default_logger(std::move(logger));
    return {};
  } catch (const std::exception& e) {
    return "log.file = \"" + file + "\" cannot be written: " + e.what();
  }
}

} // namespace covey::runtime
