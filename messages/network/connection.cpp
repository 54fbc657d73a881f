#include "messages/network/connection.hpp"

#include <caf/io/network/default_multiplexer.hpp>

namespace covey::network {

connection::connection(caf::io::network::default_multiplexer& loop,
                       native_socket socket,
                       std::unique_ptr<tls_session> session,
                       byte_stream::events on)
  : scribe(caf::io::network::conn_hdl_from_socket(socket)),
    stream_(loop, socket, std::move(session), std::move(on)) {
  // nop
}

void connection::configure_read(caf::io::receive_policy::config config) {
  stream_.configure_read(config);
  if (launched_)
    return;
  launched_ = true;
  stream_.start(this);
}

void connection::ack_writes(bool enable) {
  stream_.ack_writes(enable);
}

std::vector<char>& connection::wr_buf() {
  return stream_.output();
}

std::vector<char>& connection::rd_buf() {
  return stream_.input();
}

void connection::flush() {
  stream_.flush();
}

std::string connection::addr() const {
  auto x = caf::io::network::remote_addr_of_fd(stream_.fd());
  return x ? *x : std::string{};
}

uint16_t connection::port() const {
  auto x = caf::io::network::remote_port_of_fd(stream_.fd());
  return x ? *x : uint16_t{0};
}

void connection::graceful_shutdown() {
  stream_.graceful_shutdown();
  detach(&stream_.backend(), false);
}

void connection::add_to_loop() {
  stream_.start(this);
}

void connection::remove_from_loop() {
  stream_.stop();
}

void connection::limit_unsent(uint64_t bytes) {
  stream_.limit_unsent(bytes);
}

void connection::abort() {
  stream_.abort();
}

} // namespace covey::network
