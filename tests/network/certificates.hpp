// Certificates for tests, good and bad: tests/certificates.sh makes them.

#pragma once

#include "messages/network/tls_files.hpp"

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace covey::test {

/// A folder of its own with what tests/certificates.sh makes, gone at the end.
class certificates {
public:
  certificates() {
    auto name = (std::filesystem::temp_directory_path() / "covey-certs-XXXXXX")
                  .string();
    if (::mkdtemp(name.data()) == nullptr)
      throw std::runtime_error("no temporary folder");
    folder_ = name;
    auto script = std::filesystem::path{__FILE__}.parent_path().parent_path()
                  / "certificates.sh";
    if (std::system((script.string() + " " + name).c_str()) != 0)
      throw std::runtime_error("tests/certificates.sh failed");
  }

  ~certificates() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  certificates(const certificates&) = delete;
  certificates& operator=(const certificates&) = delete;

  std::string path(const std::string& name) const {
    return (folder_ / name).string();
  }

  network::tls_files files(const std::string& certificate,
                           const std::string& key,
                           const std::string& ca = "ca.crt") const {
    return {path(certificate), path(key), path(ca)};
  }

  /// Those of a node, or of "client".
  network::tls_files of(const std::string& name) const {
    return files(name + ".crt", name + ".key");
  }

private:
  std::filesystem::path folder_;
};

} // namespace covey::test
