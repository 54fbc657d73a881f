// Keeps a second process out of a data directory.

#pragma once

#include <memory>
#include <string>

namespace covey::storage {

/// Holds the file `LOCK`, with the id of this process in it. The system lets go
/// of it when the process ends, however it ends.
class directory_lock {
public:
  /// Nothing and `error` if another process, or another lock of this one, has
  /// it, or if the file cannot be made.
  static std::unique_ptr<directory_lock> acquire(const std::string& directory,
                                                 std::string& error);
  ~directory_lock();

  directory_lock(const directory_lock&) = delete;
  directory_lock& operator=(const directory_lock&) = delete;

private:
  explicit directory_lock(int file) : file_(file) {}

  int file_;
};

} // namespace covey::storage
