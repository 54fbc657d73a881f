// What new TLS connections start from, always as the files say now.

#pragma once

#include "messages/network/tls_files.hpp"
#include "messages/network/tls_session.hpp"

#include <functional>
#include <memory>
#include <string>

namespace covey::network {

/// Thread-safe. Files that change are read again before the next connection,
/// so that replacing them (by rename) is all that a rotation takes.
class tls_context {
public:
  /// Told one line each time changed files turn out to be wrong.
  using warning = std::function<void(const std::string&)>;

  tls_context(tls_files files, tls_role role, warning warn = {});
  ~tls_context();
  tls_context(const tls_context&) = delete;
  tls_context& operator=(const tls_context&) = delete;

  /// A session before its handshake, with mutual authentication. Changed files
  /// that do not pass `check` are not used: what was read last is, and if there
  /// is none, the result is null and `error` one line.
  std::unique_ptr<tls_session> accept(int socket, std::string& error);
  std::unique_ptr<tls_session> connect(int socket, std::string& error);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

using tls_context_ptr = std::shared_ptr<tls_context>;

/// Null without files: no TLS.
tls_context_ptr make_tls_context(const tls_files& files, tls_role role,
                                 tls_context::warning warn = {});

} // namespace covey::network
