// The file of keys whose writes were acknowledged: base64, one a line.

#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

namespace covey::client {

using key_set = std::unordered_set<std::string>;

/// Adds the keys of the log at `path`. A last line without its end was being
/// written when its writer died, and is skipped. False if it cannot, with the
/// reason in `why`.
bool load_acked(const std::string& path, key_set& keys, std::string& why);

class ack_log {
public:
  /// Opens for appending; cuts off a last line without its end, which would
  /// otherwise become a key that nobody acknowledged.
  bool open(const std::string& path, std::string& why);
  /// False once a write has failed.
  bool append(std::string_view key);
  bool flush();

  bool is_open() const {
    return file_ != nullptr;
  }

private:
  struct closer {
    void operator()(std::FILE* file) const {
      std::fclose(file);
    }
  };

  std::unique_ptr<std::FILE, closer> file_;
};

} // namespace covey::client
