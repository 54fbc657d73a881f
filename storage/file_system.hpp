// The few calls a data directory needs from the file system.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace covey::storage {

/// Creates `path` and what is missing above it, for this user only (0700). True
/// if it is a directory afterwards; else `error` says why not.
bool create_directory(const std::string& path, std::string& error);

/// True unless nothing has this name: what cannot be looked at does exist.
bool file_exists(const std::string& path);

/// The content of a small file. Nothing, and no `error`, if there is none.
std::optional<std::string> read_file(const std::string& path,
                                     std::string& error);

/// Writes a file so that after a crash it holds either all of `content` or what
/// it held before, and so that it is on disk when the call returns.
bool replace_file(const std::string& path, std::string_view content,
                  std::string& error);

/// Writes all of `content` at `offset` of an open file. False if refused, with
/// the reason in errno.
bool write_at(int file, std::string_view content, uint64_t offset);

/// What an unprivileged process may still write to the file system of `path`.
std::optional<uint64_t> free_bytes(const std::string& path);

/// The system's words for an errno value.
std::string describe_errno(int code);

} // namespace covey::storage
