#include "client/dialer.hpp"

#include "messages/errors.hpp"

#include <caf/io/middleman.hpp>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <netdb.h>
#include <poll.h>
#include <set>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace covey::client {

namespace {

constexpr int probe_timeout_ms = 600;
constexpr auto handshake_timeout = std::chrono::milliseconds{800};

std::string lower_first(std::string text) {
  if (!text.empty())
    text[0] = static_cast<char>(std::tolower(text[0]));
  return text;
}

// Empty if something accepts connections there.
std::string probe(const addrinfo& address) {
  auto fd = ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return lower_first(std::strerror(errno));
  auto failure = 0;
  if (::connect(fd, address.ai_addr, address.ai_addrlen) != 0)
    failure = errno;
  if (failure == EINPROGRESS) {
    pollfd waiting{fd, POLLOUT, 0};
    failure = ETIMEDOUT;
    socklen_t size = sizeof(failure);
    if (::poll(&waiting, 1, probe_timeout_ms) == 1)
      ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size);
  }
  ::close(fd);
  return failure == 0 ? std::string{} : lower_first(std::strerror(failure));
}

std::string probe(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  auto failure
    = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failure != 0)
    return lower_first(::gai_strerror(failure));
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> guard{found,
                                                             ::freeaddrinfo};
  std::string reason;
  for (auto* i = found; i != nullptr; i = i->ai_next) {
    reason = probe(*i);
    if (reason.empty())
      break;
  }
  return reason;
}

} // namespace

connector_actor::behavior_type dialer(connector_actor::pointer self) {
  return {
    [self](dial_atom, const std::string& host, uint16_t port) {
      auto promise = self->make_response_promise<supervisor_actor>();
      if (auto reason = probe(host, port); !reason.empty()) {
        promise.deliver(caf::make_error(errc::unavailable, reason));
        return promise;
      }
      self
        ->request(self->system().middleman().actor_handle(), handshake_timeout,
                  caf::connect_atom::value, host, port)
        .then(
          [self, promise](const caf::node_id&,
                          const caf::strong_actor_ptr& peer,
                          const std::set<std::string>& interface) mutable {
            if (!peer)
              promise.deliver(caf::make_error(
                errc::unavailable, std::string{"no node is ready there"}));
            else if (!self->system().assignable<supervisor_actor>(interface))
              promise.deliver(caf::make_error(
                errc::unavailable,
                std::string{"something else than a node answers there"}));
            else
              promise.deliver(caf::actor_cast<supervisor_actor>(peer));
          },
          [promise](const caf::error&) mutable {
            promise.deliver(caf::make_error(
              errc::unavailable,
              std::string{"it accepts connections but does not answer as a "
                          "node does"}));
          });
      return promise;
    },
  };
}

} // namespace covey::client
