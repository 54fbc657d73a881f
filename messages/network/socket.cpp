#include "messages/network/socket.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace covey::network {

namespace {

std::string lower_first(std::string text) {
  if (!text.empty())
    text[0] = static_cast<char>(std::tolower(text[0]));
  return text;
}

/// The connected socket, or -1 and errno.
int connect_one(const addrinfo& address, std::chrono::milliseconds patience) {
  auto fd = ::socket(address.ai_family,
                     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -1;
  auto failure = 0;
  if (::connect(fd, address.ai_addr, address.ai_addrlen) != 0)
    failure = errno;
  if (failure == EINPROGRESS) {
    pollfd waiting{fd, POLLOUT, 0};
    failure = ETIMEDOUT;
    socklen_t size = sizeof(failure);
    if (::poll(&waiting, 1, static_cast<int>(patience.count())) == 1)
      ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size);
  }
  if (failure == 0)
    return fd;
  ::close(fd);
  errno = failure;
  return -1;
}

} // namespace

int connect_tcp(const std::string& host, uint16_t port,
                std::chrono::milliseconds patience, std::string& error) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  auto failure
    = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failure != 0) {
    error = lower_first(::gai_strerror(failure));
    return -1;
  }
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> guard{found,
                                                             ::freeaddrinfo};
  for (auto* i = found; i != nullptr; i = i->ai_next) {
    auto fd = connect_one(*i, patience);
    if (fd >= 0)
      return fd;
    error = lower_first(std::strerror(errno));
  }
  return -1;
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

bool leaves_descriptors(int socket) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return true;
  auto kept = std::min<rlim_t>(limit.rlim_cur / 4, 512);
  return static_cast<rlim_t>(socket) < limit.rlim_cur - kept;
}

} // namespace covey::network
