#include "messages/network/tls_session.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

namespace covey::network {

namespace {

/// OpenSSL writes to sockets without MSG_NOSIGNAL. Blocked, the signal stays
/// pending for the thread that does the I/O, and harms nobody.
void block_sigpipe() {
  static thread_local const auto done = [] {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    return pthread_sigmask(SIG_BLOCK, &signals, nullptr) == 0;
  }();
  static_cast<void>(done);
}

/// Errors that another connection left behind would be taken for ours.
void prepare() {
  block_sigpipe();
  ERR_clear_error();
  errno = 0;
}

} // namespace

tls_session::tls_session(ssl_ptr ssl, int socket) : ssl_(std::move(ssl)) {
  SSL_set_fd(ssl_.get(), socket);
}

io_step tls_session::shake_hands() {
  prepare();
  return result_of(SSL_do_handshake(ssl_.get()));
}

io_step tls_session::read(void* buffer, size_t size, size_t& moved) {
  prepare();
  return result_of(SSL_read_ex(ssl_.get(), buffer, size, &moved));
}

io_step tls_session::write(const void* bytes, size_t size, size_t& moved) {
  prepare();
  return result_of(SSL_write_ex(ssl_.get(), bytes, size, &moved));
}

size_t tls_session::pending() const {
  return static_cast<size_t>(SSL_pending(ssl_.get()));
}

void tls_session::close() {
  prepare();
  if (SSL_is_init_finished(ssl_.get()) && reason_.empty())
    SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

io_step tls_session::result_of(int code) {
  if (code == 1)
    return io_step::done;
  auto socket_error = errno;
  switch (SSL_get_error(ssl_.get(), code)) {
    case SSL_ERROR_WANT_READ:
      return io_step::wants_read;
    case SSL_ERROR_WANT_WRITE:
      return io_step::wants_write;
    case SSL_ERROR_ZERO_RETURN:
      return io_step::failed;
    case SSL_ERROR_SYSCALL:
      reason_ = socket_error != 0 ? std::strerror(socket_error)
                                  : "the connection was closed";
      return io_step::failed;
    default:
      break;
  }
  auto queued = ERR_peek_error();
  const auto* text = ERR_reason_error_string(queued);
  reason_ = text != nullptr ? text : "failed";
  auto verified = SSL_get_verify_result(ssl_.get());
  if (ERR_GET_REASON(queued) == SSL_R_CERTIFICATE_VERIFY_FAILED)
    reason_ += std::string{": "} + X509_verify_cert_error_string(verified);
  ERR_clear_error();
  return io_step::failed;
}

} // namespace covey::network
