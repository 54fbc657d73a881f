#include "messages/network/byte_stream.hpp"

#include <caf/io/network/default_multiplexer.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace covey::network {

namespace {

using caf::io::network::operation;

/// Bytes that one connection reads before others get their turn.
constexpr size_t bytes_per_event = 512 << 10;
/// Input grows in such steps, and by doubling.
constexpr size_t input_step = 64 << 10;
/// Read at once, whatever it holds: CAF asks for the header of a message, then
/// for the rest. What is larger is read to where it belongs.
constexpr size_t ahead_bytes = 64 << 10;
/// Larger buffers are given back once they are empty.
constexpr size_t kept_bytes = 1 << 20;
/// What is left to send at the end may wait so long for the peer.
constexpr unsigned goodbye_ms = 10'000;

void clear(std::vector<char>& x) {
  x.clear();
  if (x.capacity() > kept_bytes)
    std::vector<char>{}.swap(x);
}

io_step plain_result(ssize_t n, size_t& moved, io_step if_blocked) {
  if (n > 0) {
    moved = static_cast<size_t>(n);
    return io_step::done;
  }
  auto blocked = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  return blocked ? if_blocked : io_step::failed;
}

} // namespace

byte_stream::byte_stream(caf::io::network::default_multiplexer& loop,
                         native_socket socket,
                         std::unique_ptr<tls_session> session, events on)
  : event_handler(loop, socket), session_(std::move(session)),
    on_(std::move(on)), shaking_hands_(session_ != nullptr) {
  // nop
}

void byte_stream::start(const manager_ptr& manager) {
  if (reader_)
    return;
  reader_ = manager;
  event_handler::activate();
  // Not at once: our caller is the manager, which a failure would re-enter.
  if (shaking_hands_)
    want_writable(true);
  else
    flush();
}

void byte_stream::configure_read(caf::io::receive_policy::config config) {
  most_ = std::max<size_t>(config.second, 1);
  least_ = config.first == caf::io::receive_policy_flag::at_most ? 1 : most_;
}

void byte_stream::flush() {
  if (overfull() || shaking_hands_ || state_.writing || output_.empty()
      || !reader_)
    return;
  state_.writing = true;
  next_write();
  // Most of what is sent fits: then the loop need not be asked. Whatever calls
  // our manager back is left to the loop.
  size_t moved = 0;
  if (!state_.ack_writes && !state_.shutting_down
      && send(sending_.data(), sending_.size(), moved) == io_step::done) {
    sent_ = moved;
    if (sent_ == sending_.size())
      next_write();
  }
  if (state_.writing)
    want_writable(true);
}

bool byte_stream::overfull() {
  if (!overfull_ && output_.size() + sending_.size() - sent_ > max_unsent_) {
    overfull_ = true;
    if (on_.overfull)
      on_.overfull();
    // Not at once, as in start(): the loop will find the socket at its end.
    ::shutdown(fd(), SHUT_RDWR);
  }
  if (overfull_)
    buffer{}.swap(output_);
  return overfull_;
}

void byte_stream::abort() {
  // The manager may let go of us.
  auto guard = reader_ ? reader_ : writer_;
  want_writable(false);
  tell_lost();
  if (reader_)
    reader_->io_failure(&backend(), operation::read);
  stop();
}

void byte_stream::stop() {
  auto guard = reader_;
  passivate();
  // The loop reports removals only of what it had begun to watch.
  if ((eventbf() & caf::io::network::input_mask) == 0)
    reader_.reset();
}

void byte_stream::handle_event(operation op) {
  if (op == operation::propagate_error) {
    abort();
    return;
  }
  if (shaking_hands_) {
    shake_hands();
    return;
  }
  if (op == operation::write) {
    write_some();
    return;
  }
  if (write_waits_for_read_) {
    write_waits_for_read_ = false;
    want_writable(true);
  }
  read_some();
}

void byte_stream::shake_hands() {
  switch (session_->shake_hands()) {
    case io_step::wants_read:
      want_writable(false);
      return;
    case io_step::wants_write:
      want_writable(true);
      return;
    case io_step::failed:
      abort();
      return;
    case io_step::done:
      break;
  }
  shaking_hands_ = false;
  want_writable(false);
  if (on_.established)
    on_.established();
  flush();
}

void byte_stream::read_some() {
  auto guard = reader_;
  size_t taken = 0;
  while (reader_) {
    // What TLS holds back does not show on the socket.
    if (taken >= bytes_per_event
        && (!session_ || session_->pending() < least_ - received_))
      return;
    size_t moved = 0;
    auto ahead = !session_ && most_ - received_ < ahead_bytes;
    switch (ahead ? read_ahead(moved) : read_wanted(moved)) {
      case io_step::wants_read:
        return;
      case io_step::wants_write:
        want_writable(true);
        return;
      case io_step::failed:
        abort();
        return;
      case io_step::done:
        break;
    }
    taken += moved;
    // The socket is empty: asking it again would only say so.
    if (ahead && moved < ahead_bytes)
      return;
  }
}

io_step byte_stream::read_wanted(size_t& moved) {
  if (input_.size() < most_ && input_.size() <= received_)
    input_.resize(
      std::min(most_, std::max(input_.size() * 2, received_ + input_step)));
  auto room = std::min(input_.size(), most_) - received_;
  auto result = receive(input_.data() + received_, room, moved);
  received_ += moved;
  if (result == io_step::done && received_ >= least_ && !take())
    return io_step::wants_read;
  return result;
}

io_step byte_stream::read_ahead(size_t& moved) {
  static thread_local std::vector<char> bytes(ahead_bytes);
  auto result = receive(bytes.data(), bytes.size(), moved);
  for (size_t i = 0; i < moved && reader_;) {
    auto size = std::min(most_ - received_, moved - i);
    if (input_.size() < received_ + size)
      input_.resize(received_ + size);
    std::memcpy(input_.data() + received_, bytes.data() + i, size);
    received_ += size;
    i += size;
    if (received_ >= least_ && !take())
      return io_step::wants_read;
  }
  return result;
}

bool byte_stream::take() {
  auto more = reader_->consume(&backend(), input_.data(), received_);
  received_ = 0;
  clear(input_);
  if (!more)
    stop();
  return more;
}

void byte_stream::write_some() {
  if (!state_.writing) {
    // A read wanted to write; it goes on now.
    want_writable(false);
    read_some();
    return;
  }
  auto guard = writer_;
  size_t moved = 0;
  switch (send(sending_.data() + sent_, sending_.size() - sent_, moved)) {
    case io_step::wants_read:
      write_waits_for_read_ = true;
      want_writable(false);
      return;
    case io_step::wants_write:
      return;
    case io_step::failed:
      abort();
      return;
    case io_step::done:
      break;
  }
  sent_ += moved;
  if (state_.ack_writes && writer_)
    writer_->data_transferred(&backend(), moved,
                              sending_.size() - sent_ + output_.size());
  if (sent_ == sending_.size())
    next_write();
}

void byte_stream::next_write() {
  sent_ = 0;
  clear(sending_);
  sending_.swap(output_);
  if (!sending_.empty())
    return;
  state_.writing = false;
  want_writable(false);
  if (state_.shutting_down)
    say_goodbye();
}

void byte_stream::want_writable(bool wanted) {
  if (wanted == watches_writable_)
    return;
  watches_writable_ = wanted;
  if (!wanted) {
    backend().del(operation::write, fd(), this);
    if ((eventbf() & caf::io::network::output_mask) == 0)
      writer_.reset();
    return;
  }
  if (!writer_)
    writer_ = reader_;
  backend().add(operation::write, fd(), this);
}

void byte_stream::removed_from_loop(operation op) {
  // The last of the two may destroy us.
  if (op == operation::read)
    reader_.reset();
  else if (op == operation::write)
    writer_.reset();
}

void byte_stream::graceful_shutdown() {
  if (state_.shutting_down)
    return;
  state_.shutting_down = true;
  if (!state_.writing) {
    say_goodbye();
    return;
  }
  // Nobody looks after us any more: a frozen peer must not keep our bytes.
  ::setsockopt(fd(), IPPROTO_TCP, TCP_USER_TIMEOUT, &goodbye_ms,
               sizeof(goodbye_ms));
}

void byte_stream::tell_lost() {
  auto lost = std::move(on_.lost);
  on_ = {};
  if (lost)
    lost(session_ ? session_->reason() : std::string{});
}

void byte_stream::say_goodbye() {
  tell_lost();
  if (session_)
    session_->close();
  ::shutdown(fd(), SHUT_WR);
}

io_step byte_stream::receive(char* to, size_t size, size_t& moved) {
  if (session_)
    return session_->read(to, size, moved);
  return plain_result(::recv(fd(), to, size, MSG_NOSIGNAL), moved,
                      io_step::wants_read);
}

io_step byte_stream::send(const char* from, size_t size, size_t& moved) {
  if (session_)
    return session_->write(from, size, moved);
  return plain_result(::send(fd(), from, size, MSG_NOSIGNAL), moved,
                      io_step::wants_write);
}

} // namespace covey::network
