// The log of the process: sentences on stderr or in a file.

#pragma once

#include <cstdint>
#include <string>

namespace covey::runtime {

/// In spdlog's order.
enum class log_level : uint8_t { trace, debug, info, warn, error, off };

/// Points spdlog's default logger at `file`, or at stderr (coloured if that is
/// a terminal) if `file` is empty. Replaces what an earlier call set up. Lines
/// are `2024-05-01T12:00:00.000+00:00 info the sentence`; those of level info
/// and above are out when the call that logs them returns.
/// Returns an empty string, or one line saying why `file` cannot be written;
/// the logger is unchanged then. Never throws; a full disk later costs lines
/// of the log, and says so on stderr.
std::string start_logging(log_level level, const std::string& file);

} // namespace covey::runtime
