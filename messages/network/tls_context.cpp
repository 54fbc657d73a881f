#include "messages/network/tls_context.hpp"

#include "messages/network/openssl_ptr.hpp"

#include <array>
#include <mutex>
#include <openssl/err.h>
#include <sys/stat.h>
#include <tuple>

namespace covey::network {

namespace {

/// Changes whenever a file is written or replaced, or gets other rights.
using stamp = std::tuple<ino_t, off_t, time_t, long>;

stamp stamp_of(const std::string& path) {
  struct stat x {};
  if (::stat(path.c_str(), &x) != 0)
    return {};
  return {x.st_ino, x.st_size, x.st_ctim.tv_sec, x.st_ctim.tv_nsec};
}

/// TLS 1.3 alone: both ends are ours, it has no renegotiation, and without
/// tickets nothing but data follows the handshake.
ssl_ctx_ptr load(const tls_files& files) {
  ssl_ctx_ptr result{SSL_CTX_new(TLS_method())};
  auto* x = result.get();
  auto good
    = x != nullptr && SSL_CTX_set_min_proto_version(x, TLS1_3_VERSION) == 1
      && SSL_CTX_set_num_tickets(x, 0) == 1
      && SSL_CTX_use_certificate_chain_file(x, files.certificate.c_str()) == 1
      && SSL_CTX_use_PrivateKey_file(x, files.key.c_str(), SSL_FILETYPE_PEM)
           == 1
      && SSL_CTX_load_verify_file(x, files.ca_file.c_str()) == 1;
  ERR_clear_error();
  if (!good)
    return nullptr;
  SSL_CTX_set_verify(x, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                     nullptr);
  SSL_CTX_set_session_cache_mode(x, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(x, SSL_MODE_ENABLE_PARTIAL_WRITE
                        | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                        | SSL_MODE_RELEASE_BUFFERS);
  return result;
}

} // namespace

struct tls_context::impl {
  tls_files files;
  tls_role role;
  warning warn;
  std::mutex mutex;
  std::array<stamp, 3> stamps;
  ssl_ctx_ptr loaded;
  /// Of the last attempt to load.
  std::string problem;

  std::array<stamp, 3> stamps_now() const {
    return {stamp_of(files.certificate), stamp_of(files.key),
            stamp_of(files.ca_file)};
  }

  void refresh() {
    auto now = stamps_now();
    // What was wrong may have been the time.
    if (loaded && now == stamps && problem.empty())
      return;
    auto told = std::move(problem);
    if (now != stamps)
      told.clear();
    stamps = now;
    problem = check(files, role);
    if (problem.empty()) {
      if (auto fresh = load(files))
        loaded = std::move(fresh);
      else
        problem = files.certificate + ": OpenSSL cannot use it";
    }
    if (!problem.empty() && problem != told && loaded && warn)
      warn(problem);
  }

  ssl_ptr session(std::string& error) {
    std::lock_guard<std::mutex> guard{mutex};
    refresh();
    if (!loaded) {
      error = problem;
      return nullptr;
    }
    return ssl_ptr{SSL_new(loaded.get())};
  }
};

tls_context::tls_context(tls_files files, tls_role role, warning warn)
  : impl_(
    new impl{std::move(files), role, std::move(warn), {}, {}, nullptr, {}}) {
  // nop
}

tls_context::~tls_context() = default;

std::unique_ptr<tls_session> tls_context::accept(int socket,
                                                 std::string& error) {
  auto ssl = impl_->session(error);
  if (!ssl)
    return nullptr;
  SSL_set_accept_state(ssl.get());
  return std::make_unique<tls_session>(std::move(ssl), socket);
}

std::unique_ptr<tls_session> tls_context::connect(int socket,
                                                  std::string& error) {
  auto ssl = impl_->session(error);
  if (!ssl)
    return nullptr;
  SSL_set_connect_state(ssl.get());
  return std::make_unique<tls_session>(std::move(ssl), socket);
}

tls_context_ptr make_tls_context(const tls_files& files, tls_role role,
                                 tls_context::warning warn) {
  if (!files.any())
    return nullptr;
  return std::make_shared<tls_context>(files, role, std::move(warn));
}

} // namespace covey::network
