#include "storage/file_system.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <system_error>
#include <unistd.h>

namespace covey::storage {

namespace {

bool sync_directory_of(const std::string& path) {
  auto parent = std::filesystem::path{path}.parent_path();
  auto name = parent.empty() ? std::string{"."} : parent.string();
  int directory = ::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0)
    return false;
  bool ok = ::fsync(directory) == 0;
  ::close(directory);
  return ok;
}

} // namespace

bool create_directory(const std::string& path, std::string& error) {
  std::filesystem::path sofar;
  for (const auto& part : std::filesystem::path{path}) {
    sofar /= part;
    if (::mkdir(sofar.c_str(), 0700) != 0 && errno != EEXIST) {
      int reason = errno;
      // A parent that exists may still refuse mkdir, on a read-only file system
      // for instance.
      struct stat info {};
      if (::stat(sofar.c_str(), &info) == 0 && S_ISDIR(info.st_mode))
        continue;
      error = "cannot create the directory " + sofar.string() + ": "
              + describe_errno(reason);
      return false;
    }
  }
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    error = path + " is not a directory";
    return false;
  }
  return true;
}

bool file_exists(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0
         || (errno != ENOENT && errno != ENOTDIR);
}

std::optional<std::string> read_file(const std::string& path,
                                     std::string& error) {
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    if (errno != ENOENT)
      error = "cannot read " + path + ": " + describe_errno(errno);
    return std::nullopt;
  }
  std::string result;
  char chunk[16384];
  ssize_t n = 0;
  while ((n = ::read(file, chunk, sizeof(chunk))) != 0) {
    if (n > 0) {
      result.append(chunk, static_cast<size_t>(n));
    } else if (errno != EINTR) {
      error = "cannot read " + path + ": " + describe_errno(errno);
      break;
    }
  }
  ::close(file);
  if (n < 0)
    return std::nullopt;
  return result;
}

bool replace_file(const std::string& path, std::string_view content,
                  std::string& error) {
  auto temporary = path + ".new";
  int file
    = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  bool ok = file >= 0 && write_at(file, content, 0) && ::fsync(file) == 0;
  int reason = errno;
  if (file >= 0)
    ::close(file);
  if (ok) {
    ok = ::rename(temporary.c_str(), path.c_str()) == 0
         && sync_directory_of(path);
    reason = errno;
  }
  if (!ok)
    error = "cannot write " + path + ": " + describe_errno(reason);
  return ok;
}

bool write_at(int file, std::string_view content, uint64_t offset) {
  while (!content.empty()) {
    auto n = ::pwrite(file, content.data(), content.size(),
                      static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return false;
    content.remove_prefix(static_cast<size_t>(n));
    offset += static_cast<uint64_t>(n);
  }
  return true;
}

std::optional<uint64_t> free_bytes(const std::string& path) {
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0)
    return std::nullopt;
  return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
}

std::string describe_errno(int code) {
  return std::generic_category().message(code);
}

} // namespace covey::storage
