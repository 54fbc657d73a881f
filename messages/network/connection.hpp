// One connection of CAF's broker: plain, or TLS.

#pragma once

#include "messages/network/byte_stream.hpp"

#include <caf/io/scribe.hpp>

#include <memory>
#include <string>
#include <vector>

namespace covey::network {

/// A byte_stream as CAF's brokers see it.
class connection final : public caf::io::scribe {
public:
  connection(caf::io::network::default_multiplexer& loop, native_socket socket,
             std::unique_ptr<tls_session> session, byte_stream::events on = {});

  void configure_read(caf::io::receive_policy::config config) override;
  void ack_writes(bool enable) override;
  std::vector<char>& wr_buf() override;
  std::vector<char>& rd_buf() override;
  void flush() override;
  std::string addr() const override;
  uint16_t port() const override;
  void graceful_shutdown() override;
  void add_to_loop() override;
  void remove_from_loop() override;

  /// As byte_stream has it.
  void limit_unsent(uint64_t bytes);
  /// Ends the connection at once; its broker is told.
  void abort();

private:
  bool launched_ = false;
  byte_stream stream_;
};

} // namespace covey::network
