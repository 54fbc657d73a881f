#define CAF_SUITE network.knocker

#include "messages/network/knocker.hpp"
#include "messages/registration.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/test/unit_test.hpp>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace covey;
using std::chrono::milliseconds;

namespace {

/// A port of 127.0.0.1 that listens until told not to.
class listener {
public:
  listener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(at);
    auto* address = reinterpret_cast<sockaddr*>(&at);
    CAF_REQUIRE(::bind(fd_, address, size) == 0);
    CAF_REQUIRE(::listen(fd_, 4) == 0);
    CAF_REQUIRE(::getsockname(fd_, address, &size) == 0);
    port_ = ntohs(at.sin_port);
  }
  ~listener() {
    close();
  }
  void close() {
    if (fd_ >= 0)
      ::close(fd_);
    fd_ = -1;
  }
  uint16_t port() const {
    return port_;
  }

private:
  int fd_;
  uint16_t port_ = 0;
};

struct fixture {
  fixture()
    : system(config),
      knocker(network::spawn_knocker(system, milliseconds{2000})) {}
  ~fixture() {
    caf::scoped_actor self{system};
    self->send_exit(knocker, caf::exit_reason::user_shutdown);
    self->wait_for(knocker);
  }
  bool refused(const std::string& host, uint16_t port) {
    caf::scoped_actor self{system};
    auto result = false;
    self
      ->request(knocker, std::chrono::seconds(30), knock_atom::value, host,
                port)
      .receive(
        [&](bool x) {
          result = x;
        },
        [](const caf::error&) {
          CAF_FAIL("a knock was not answered");
        });
    return result;
  }

  system_config config;
  caf::actor_system system;
  knocker_actor knocker;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(knocker_tests, fixture)

CAF_TEST(a port where somebody listens does not refuse and one without does) {
  listener door;
  CAF_CHECK(!refused("127.0.0.1", door.port()));
  // A process that is frozen accepts, too: nobody takes the connection here.
  CAF_CHECK(!refused("127.0.0.1", door.port()));
  door.close();
  CAF_CHECK(refused("127.0.0.1", door.port()));
}

CAF_TEST(a name without address proves nothing) {
  CAF_CHECK(!refused("no-such-host.invalid", 7101));
}

CAF_TEST_FIXTURE_SCOPE_END()
