// TCP connections made within a bounded time.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace covey::network {

/// Connects to the first address of `host` that accepts, trying each for at
/// most `patience`, and returns the socket. Otherwise -1, and `error` says why
/// in a few words. Blocks; looking up a name takes as long as the resolver.
int connect_tcp(const std::string& host, uint16_t port,
                std::chrono::milliseconds patience, std::string& error);

/// Lets this process have as many descriptors as the system permits it.
void raise_descriptor_limit();

/// False if a connection with this descriptor would take what the rest of the
/// process needs, its files above all: the last quarter of the descriptors that
/// it may have, at most 512.
bool leaves_descriptors(int socket);

} // namespace covey::network
