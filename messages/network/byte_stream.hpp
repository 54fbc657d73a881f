// Bytes over one socket of CAF's I/O loop: plain, or TLS.

#pragma once

#include "messages/network/tls_session.hpp"

#include <caf/io/network/event_handler.hpp>
#include <caf/io/network/stream_manager.hpp>
#include <caf/io/receive_policy.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace covey::network {

using caf::io::network::native_socket;

/// Moves bytes between a socket and CAF's buffers. It stands where CAF has its
/// own streams, for three reasons (docs/adr/0010): while a handshake waits, it
/// sleeps; errors of one connection stay with it; and its memory follows the
/// bytes that arrived, not the length that a peer announces. For the thread of
/// the I/O loop only.
class byte_stream final : public caf::io::network::event_handler {
public:
  using buffer = std::vector<char>;
  using manager_ptr = caf::intrusive_ptr<caf::io::network::stream_manager>;

  struct events {
    /// TLS only: the peer is one of us.
    std::function<void()> established;
    /// The connection is over; what TLS says about it, or empty.
    std::function<void(const std::string&)> lost;
    /// More than the limit of unsent bytes: the connection will end.
    std::function<void()> overfull;
  };

  /// Owns `socket`. Without a session the connection is plain.
  byte_stream(caf::io::network::default_multiplexer& loop, native_socket socket,
              std::unique_ptr<tls_session> session, events on);

  /// Reads from now on, for `manager`.
  void start(const manager_ptr& manager);
  /// The connection ends when more than `bytes` wait to be sent: CAF would let
  /// them grow for as long as the other end takes nothing.
  void limit_unsent(uint64_t bytes) {
    max_unsent_ = bytes;
  }
  /// How much makes the next call of `manager`.
  void configure_read(caf::io::receive_policy::config config);
  /// Sends what is in the output buffer; before the end of the handshake, then.
  void flush();
  /// Reads no more; what is to be sent still is.
  void stop();
  /// Ends the connection at once.
  void abort();

  buffer& output() {
    return output_;
  }
  buffer& input() {
    return input_;
  }

  void handle_event(caf::io::network::operation op) override;
  void removed_from_loop(caf::io::network::operation op) override;
  void graceful_shutdown() override;

private:
  void shake_hands();
  void read_some();
  /// Into the buffer of the manager, no more than it wants.
  io_step read_wanted(size_t& moved);
  /// All that the socket has, and hands it over piece by piece.
  io_step read_ahead(size_t& moved);
  /// False if the manager wants no more, which ends reading as an empty socket
  /// does.
  bool take();
  void write_some();
  void next_write();
  void want_writable(bool wanted);
  /// True if nothing more is sent, because too much waits.
  bool overfull();
  void say_goodbye();
  void tell_lost();
  io_step receive(char* to, size_t size, size_t& moved);
  io_step send(const char* from, size_t size, size_t& moved);

  std::unique_ptr<tls_session> session_;
  events on_;
  bool shaking_hands_;
  /// Each is held while the loop knows us for that direction.
  manager_ptr reader_;
  manager_ptr writer_;
  bool watches_writable_ = false;

  /// The manager is called with `least_` to `most_` bytes of `input_`.
  size_t least_ = 1;
  size_t most_ = 1024;
  size_t received_ = 0;
  buffer input_;

  /// What is being sent, and what gathers meanwhile.
  buffer sending_;
  size_t sent_ = 0;
  buffer output_;
  uint64_t max_unsent_ = UINT64_MAX;
  bool overfull_ = false;
  /// TLS cannot send before it has received something.
  bool write_waits_for_read_ = false;
};

} // namespace covey::network
