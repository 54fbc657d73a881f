#include "client/ack_log.hpp"

#include "client/base64.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace covey::client {

bool load_acked(const std::string& path, key_set& keys, std::string& why) {
  std::ifstream in{path};
  if (!in) {
    why = "cannot open '" + path + "': " + std::strerror(errno);
    return false;
  }
  std::string line;
  for (size_t number = 1; std::getline(in, line); ++number) {
    if (in.eof())
      break;
    auto key = base64_decode(line);
    if (!key) {
      why = "line " + std::to_string(number) + " of '" + path
            + "' is not base64: it was not written by --ack-log";
      return false;
    }
    keys.insert(std::move(*key));
  }
  return true;
}

namespace {

// Cuts a regular file after its last line end.
bool cut_last_line(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0)
    return false;
  if (!S_ISREG(info.st_mode))
    return true;
  char buffer[4096];
  auto end = info.st_size;
  while (end > 0) {
    auto size = std::min<off_t>(end, sizeof(buffer));
    if (::pread(fd, buffer, static_cast<size_t>(size), end - size) != size)
      return false;
    for (auto i = size; i > 0; --i)
      if (buffer[i - 1] == '\n')
        return ::ftruncate(fd, end - size + i) == 0;
    end -= size;
  }
  return ::ftruncate(fd, 0) == 0;
}

} // namespace

bool ack_log::open(const std::string& path, std::string& why) {
  auto fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0 || !cut_last_line(fd)) {
    why = "cannot open '" + path + "': " + std::strerror(errno);
    if (fd >= 0)
      ::close(fd);
    return false;
  }
  file_.reset(::fdopen(fd, "a"));
  return true;
}

bool ack_log::append(std::string_view key) {
  auto line = base64_encode(key) + '\n';
  return std::fwrite(line.data(), 1, line.size(), file_.get()) == line.size();
}

bool ack_log::flush() {
  return std::fflush(file_.get()) == 0 && std::ferror(file_.get()) == 0;
}

} // namespace covey::client
