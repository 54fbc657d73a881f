#include "client/line_reader.hpp"

#include <cerrno>
#include <poll.h>
#include <unistd.h>

namespace covey::client {

namespace {

constexpr size_t chunk_bytes = 256 << 10;

} // namespace

bool line_reader::take_line(std::string_view& line) {
  auto end = buffer_.find('\n', searched_);
  searched_ = end == std::string::npos ? buffer_.size() : end + 1;
  if (end == std::string::npos && (!at_end_ || begin_ == buffer_.size()))
    return false;
  if (end == std::string::npos)
    end = buffer_.size();
  line = std::string_view{buffer_}.substr(begin_, end - begin_);
  begin_ = searched_;
  return true;
}

line_reader::event line_reader::fill(int timeout_ms) {
  buffer_.erase(0, begin_);
  searched_ -= begin_;
  begin_ = 0;
  pollfd waiting{fd_, POLLIN, 0};
  auto ready = ::poll(&waiting, 1, timeout_ms);
  if (ready <= 0)
    return ready == 0 || errno == EINTR ? event::nothing : event::failed;
  auto before = buffer_.size();
  buffer_.resize(before + chunk_bytes);
  auto n = ::read(fd_, buffer_.data() + before, chunk_bytes);
  buffer_.resize(before + (n > 0 ? static_cast<size_t>(n) : 0));
  if (n < 0)
    return errno == EINTR || errno == EAGAIN ? event::nothing : event::failed;
  if (n == 0)
    at_end_ = true;
  bytes_read_ += static_cast<uint64_t>(n);
  return event::line;
}

line_reader::event line_reader::next(std::string_view& line, int timeout_ms) {
  for (;;) {
    if (take_line(line)) {
      ++line_number_;
      if (skipping_ || line.size() > max_line_bytes_) {
        skipping_ = false;
        return event::too_long;
      }
      return event::line;
    }
    if (at_end_) {
      if (!skipping_)
        return event::end;
      skipping_ = false;
      ++line_number_;
      return event::too_long;
    }
    if (buffer_.size() - begin_ > max_line_bytes_) {
      skipping_ = true;
      buffer_.clear();
      begin_ = 0;
      searched_ = 0;
    }
    auto got = fill(timeout_ms);
    if (got != event::line)
      return got;
  }
}

} // namespace covey::client
