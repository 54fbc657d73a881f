// TLS on one socket that does not block.

#pragma once

#include "messages/network/openssl_ptr.hpp"

#include <cstddef>
#include <string>

namespace covey::network {

/// What became of a step.
enum class io_step {
  /// It moved bytes, or ended the handshake.
  done,
  /// Again, once the socket can be read or written; a write may have to wait
  /// for a read and the reverse.
  wants_read,
  wants_write,
  /// The connection is of no more use; orderly ends included.
  failed,
};

/// Used by one thread at a time. Does not own the socket.
class tls_session {
public:
  /// `ssl` knows which side it is.
  tls_session(ssl_ptr ssl, int socket);

  io_step shake_hands();
  /// Moves at most `size` bytes, at least one if done, and says how many.
  io_step read(void* buffer, size_t size, size_t& moved);
  io_step write(const void* bytes, size_t size, size_t& moved);
  /// Bytes that were received and can be read without the socket.
  size_t pending() const;
  /// Tells the peer that no more comes, as far as that needs no waiting.
  void close();
  /// Why a step failed, in OpenSSL's words; empty after an orderly end.
  const std::string& reason() const {
    return reason_;
  }

private:
  io_step result_of(int code);

  ssl_ptr ssl_;
  std::string reason_;
};

} // namespace covey::network
