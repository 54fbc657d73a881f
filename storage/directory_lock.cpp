#include "storage/directory_lock.hpp"

#include "storage/file_system.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace covey::storage {

namespace {

std::string holder(const std::string& path) {
  std::string error;
  auto text = read_file(path, error).value_or("");
  auto pid = text.substr(0, text.find('\n'));
  return pid.empty() ? "another process" : "process " + pid;
}

} // namespace

std::unique_ptr<directory_lock>
directory_lock::acquire(const std::string& directory, std::string& error) {
  auto path = directory + "/LOCK";
  int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) {
    error = "cannot create " + path + ": " + describe_errno(errno)
            + (errno == EACCES || errno == EPERM
                 ? ": give the directory to the user that runs this node"
                 : ": check the disk");
    return nullptr;
  }
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    error = errno == EWOULDBLOCK
              ? "it is in use by " + holder(path) + ": stop that first"
              : "cannot lock " + path + ": " + describe_errno(errno);
    ::close(file);
    return nullptr;
  }
  // The number only helps people: that it cannot be written is no failure.
  if (::ftruncate(file, 0) == 0)
    write_at(file, std::to_string(::getpid()) + "\n", 0);
  return std::unique_ptr<directory_lock>{new directory_lock(file)};
}

directory_lock::~directory_lock() {
  ::close(file_);
}

} // namespace covey::storage
