#define CAF_SUITE network.byte_stream

#include "messages/network/byte_stream.hpp"
#include "messages/registration.hpp"

#include <caf/actor_system.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/make_counted.hpp>
#include <caf/test/unit_test.hpp>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

using namespace covey;
using namespace covey::network;

namespace {

/// Owns a stream as a broker's connection does.
class owner final : public caf::io::network::stream_manager {
public:
  owner(caf::io::network::default_multiplexer& loop, int socket,
        byte_stream::events on)
    : stream(loop, socket, nullptr, std::move(on)) {
    // nop
  }

  bool consume(caf::execution_unit*, const void*, size_t) override {
    return true;
  }
  void data_transferred(caf::execution_unit*, size_t, size_t) override {
    // nop
  }
  uint16_t port() const override {
    return 0;
  }
  std::string addr() const override {
    return {};
  }
  void graceful_shutdown() override {
    stream.graceful_shutdown();
  }
  void remove_from_loop() override {
    stream.stop();
  }
  void add_to_loop() override {
    stream.start(this);
  }

  byte_stream stream;

protected:
  caf::message detach_message() override {
    return {};
  }
  void detach_from(caf::io::abstract_broker*) override {
    // nop
  }
};

/// A stream and the other end of its connection, which takes nothing.
struct fixture {
  fixture() : system(config), loop(&system) {
    auto listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(at);
    auto* address = reinterpret_cast<sockaddr*>(&at);
    CAF_REQUIRE(::bind(listener, address, size) == 0);
    CAF_REQUIRE(::listen(listener, 1) == 0);
    CAF_REQUIRE(::getsockname(listener, address, &size) == 0);
    peer = ::socket(AF_INET, SOCK_STREAM, 0);
    CAF_REQUIRE(::connect(peer, address, size) == 0);
    auto fd = ::accept(listener, nullptr, nullptr);
    ::close(listener);
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    byte_stream::events on;
    on.overfull = [this] {
      ++overfull;
    };
    on.lost = [this](const std::string&) {
      lost = true;
    };
    us = caf::make_counted<owner>(loop, fd, std::move(on));
    us->stream.start(us);
    run();
  }

  ~fixture() {
    us->stream.abort();
    run();
    ::close(peer);
  }

  void run() {
    loop.handle_internal_events();
    while (loop.poll_once(false))
      loop.handle_internal_events();
  }

  void send(size_t bytes) {
    us->stream.output().resize(us->stream.output().size() + bytes, 'x');
    us->stream.flush();
    run();
  }

  system_config config;
  caf::actor_system system;
  caf::io::network::default_multiplexer loop;
  int peer = -1;
  caf::intrusive_ptr<owner> us;
  int overfull = 0;
  bool lost = false;
};

constexpr size_t step = 256 << 10;

} // namespace

CAF_TEST_FIXTURE_SCOPE(byte_stream_tests, fixture)

CAF_TEST(what the other end does not take has a limit) {
  us->stream.limit_unsent(16 * step);
  // Beyond what the system's own buffers of a connection hold.
  for (int i = 0; i < 400 && overfull == 0; ++i)
    send(step);
  CAF_CHECK_EQUAL(overfull, 1);
  CAF_CHECK(lost);
  CAF_CHECK_EQUAL(us->stream.output().capacity(), 0u);
  send(step);
  CAF_CHECK_EQUAL(us->stream.output().capacity(), 0u);
  CAF_CHECK_EQUAL(overfull, 1);
}

CAF_TEST(what the other end takes has none) {
  us->stream.limit_unsent(16 * step);
  std::string taken(step, ' ');
  for (int i = 0; i < 400; ++i) {
    send(step);
    size_t n = 0;
    for (int j = 0; j < 100'000 && n < step; ++j, run()) {
      auto more = ::recv(peer, taken.data(), step - n, MSG_DONTWAIT);
      n += more > 0 ? static_cast<size_t>(more) : 0;
    }
    CAF_REQUIRE_EQUAL(n, step);
  }
  CAF_CHECK_EQUAL(overfull, 0);
  CAF_CHECK(!lost);
}

CAF_TEST(a goodbye does not wait for a frozen peer for ever) {
  auto patience = [this] {
    unsigned result = 0;
    socklen_t size = sizeof(result);
    ::getsockopt(us->stream.fd(), IPPROTO_TCP, TCP_USER_TIMEOUT, &result,
                 &size);
    return result;
  };
  send(400 * step);
  CAF_CHECK_EQUAL(patience(), 0u);
  us->graceful_shutdown();
  CAF_CHECK_EQUAL(patience(), 10'000u);
  CAF_CHECK(!lost);
}

CAF_TEST_FIXTURE_SCOPE_END()
