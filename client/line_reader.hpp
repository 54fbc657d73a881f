// Lines of a file descriptor, in constant memory, without waiting for ever.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace covey::client {

class line_reader {
public:
  enum class event {
    /// A line, without its end.
    line,
    /// A line longer than the limit was skipped.
    too_long,
    /// Nothing yet; call again.
    nothing,
    end,
    /// errno tells why.
    failed,
  };

  /// Does not own `fd`.
  line_reader(int fd, size_t max_line_bytes)
    : fd_(fd), max_line_bytes_(max_line_bytes) {}

  /// Waits up to `timeout_ms`, or until a signal comes. `line` is valid until
  /// the next call.
  event next(std::string_view& line, int timeout_ms);

  /// Of the current line, from 1.
  uint64_t line_number() const {
    return line_number_;
  }
  uint64_t bytes_read() const {
    return bytes_read_;
  }

private:
  bool take_line(std::string_view& line);
  event fill(int timeout_ms);

  int fd_;
  size_t max_line_bytes_;
  std::string buffer_;
  size_t begin_ = 0;
  /// What is before has no line end.
  size_t searched_ = 0;
  bool skipping_ = false;
  bool at_end_ = false;
  uint64_t line_number_ = 0;
  uint64_t bytes_read_ = 0;
};

} // namespace covey::client
