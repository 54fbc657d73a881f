#define CAF_SUITE network.dialer

#include "messages/errors.hpp"
#include "messages/network/dialer.hpp"
#include "messages/network/publication.hpp"
#include "messages/registration.hpp"
#include "tests/network/certificates.hpp"

#include <caf/actor_system.hpp>
#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/test/unit_test.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <arpa/inet.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

using namespace covey;
using namespace covey::network;
using std::chrono::milliseconds;

namespace {

struct process_config : system_config {
  process_config() {
    load<caf::io::middleman>();
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", size_t{1});
    set("middleman.workers", size_t{0});
    set("middleman.heartbeat-interval", caf::timespan{std::chrono::seconds{1}});
    set("middleman.connection-timeout",
        caf::timespan{std::chrono::seconds{15}});
  }
};

supervisor_actor::behavior_type fake_supervisor(supervisor_actor::pointer) {
  return {
    [](const wire::PeerHello&) {
      // nop
    },
    [](const wire::ClientHello&) {
      // nop
    },
    [](gateway_atom) {
      return gateway_actor{};
    },
    [](children_atom) {
      return wire::Children{};
    },
    [](const wire::WatchRequest&) {
      // nop
    },
  };
}

/// A system that offers a supervisor, or dials one.
class process {
public:
  explicit process(tls_context_ptr tls) : tls_(std::move(tls)) {}

  ~process() {
    if (dialer_)
      caf::anon_send_exit(dialer_, caf::exit_reason::user_shutdown);
    if (supervisor_)
      caf::anon_send_exit(supervisor_, caf::exit_reason::kill);
  }

  uint16_t publish() {
    supervisor_ = system_.spawn(fake_supervisor);
    middleman_config config;
    config.tls = tls_;
    config.warn = [this](const std::string& text) {
      warnings.set(text);
    };
    published_
      = std::make_unique<publication>(system_, std::move(config), supervisor_);
    auto port = published_->open("127.0.0.1", 0);
    CAF_REQUIRE(port != 0);
    return port;
  }

  /// Empty if a supervisor was reached, otherwise why not.
  std::string dial(uint16_t port) {
    if (!dialer_)
      dialer_
        = spawn_dialer(system_, {tls_, milliseconds{1000}, milliseconds{3000}});
    std::string result;
    caf::scoped_actor self{system_};
    self
      ->request(dialer_, std::chrono::seconds{20}, dial_atom::value,
                std::string{"127.0.0.1"}, port)
      .receive(
        [&](const supervisor_actor& x) {
          found = x;
        },
        [&](const caf::error& err) {
          CAF_CHECK(err == errc::unavailable);
          result = err.context().get_as<std::string>(0);
        });
    return result;
  }

  /// True if the supervisor that was dialled answers.
  bool reaches() {
    auto result = false;
    caf::scoped_actor self{system_};
    self->request(found, std::chrono::seconds{20}, children_atom::value)
      .receive(
        [&](const wire::Children&) {
          result = true;
        },
        [](const caf::error&) {
          // nop
        });
    return result;
  }

  supervisor_actor found;
  /// The last of its port.
  loss_note warnings;

private:
  process_config config_;
  caf::actor_system system_{config_};
  tls_context_ptr tls_;
  supervisor_actor supervisor_;
  std::unique_ptr<publication> published_;
  connector_actor dialer_;
};

class raw_connection {
public:
  explicit raw_connection(uint16_t port)
    : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CAF_REQUIRE(::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof(to))
                == 0);
  }

  ~raw_connection() {
    ::close(fd_);
  }

  void say(const std::string& bytes) {
    ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

  /// Waits until the other end closes.
  bool is_closed() {
    timeval patience{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    char buffer[512];
    auto n = ::recv(fd_, buffer, sizeof(buffer), 0);
    while (n > 0)
      n = ::recv(fd_, buffer, sizeof(buffer), 0);
    return n == 0 || errno == ECONNRESET;
  }

private:
  int fd_;
};

struct fixture {
  test::certificates certs;

  tls_context_ptr tls(const tls_files& files, tls_role role = tls_role::node) {
    return make_tls_context(files, role);
  }
};

bool contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos)
    return true;
  CAF_MESSAGE("\"" << text << "\" lacks \"" << part << "\"");
  return false;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(dialer_tests, fixture)

CAF_TEST(nodes and clients of one CA reach each other) {
  process node{tls(certs.of("n1"))};
  auto port = node.publish();
  process peer{tls(certs.of("n2"))};
  CAF_CHECK_EQUAL(peer.dial(port), "");
  CAF_CHECK(peer.reaches());
  process client{tls(certs.of("client"), tls_role::client)};
  CAF_CHECK_EQUAL(client.dial(port), "");
  CAF_CHECK(client.reaches());
}

CAF_TEST(foreign certificates are refused on both sides) {
  process node{tls(certs.of("n1"))};
  auto port = node.publish();
  // We do not take the node.
  process ours{
    tls(certs.files("foreign/n2.crt", "foreign/n2.key", "foreign/ca.crt"))};
  CAF_CHECK(contains(ours.dial(port), "TLS failed: certificate verify failed"));
  // The node does not take us.
  process theirs{
    tls(certs.files("foreign/n2.crt", "foreign/n2.key", "both.crt"))};
  CAF_CHECK(contains(theirs.dial(port), "TLS failed: "));
  CAF_CHECK(contains(theirs.dial(port), "unknown ca"));
}

CAF_TEST(plain text and TLS do not mix) {
  process secured{tls(certs.of("n1"))};
  process plain{nullptr};
  auto secured_port = secured.publish();
  auto plain_port = plain.publish();
  CAF_CHECK(contains(plain.dial(secured_port), "if it uses TLS, so must we"));
  CAF_CHECK(contains(secured.dial(plain_port), "TLS failed: "));
}

CAF_TEST(files that vanish or rot after the start fail no dial) {
  std::vector<std::string> warnings;
  auto context = make_tls_context(certs.of("n1"), tls_role::node,
                                  [&](const std::string& x) {
                                    warnings.push_back(x);
                                  });
  process node{context};
  auto port = node.publish();
  process first{tls(certs.of("client"), tls_role::client)};
  CAF_CHECK_EQUAL(first.dial(port), "");
  std::filesystem::remove(certs.path("n1.key"));
  process second{tls(certs.of("client"), tls_role::client)};
  CAF_CHECK_EQUAL(second.dial(port), "");
  CAF_REQUIRE_EQUAL(warnings.size(), 1u);
  CAF_CHECK(contains(warnings[0], "n1.key: No such file"));
  // A client without its files has a reason to tell.
  process third{tls(certs.files("none", "none"), tls_role::client)};
  CAF_CHECK(contains(third.dial(port), "none: No such file or directory"));
}

CAF_TEST(files that are replaced count from the next connection on) {
  process node{tls(certs.of("n1"))};
  auto port = node.publish();
  process old_client{tls(certs.of("client"), tls_role::client)};
  CAF_CHECK_EQUAL(old_client.dial(port), "");
  for (std::string name : {"n1.crt", "n1.key", "ca.crt"})
    std::filesystem::rename(certs.path("foreign/" + name), certs.path(name));
  process new_client{
    tls(certs.files("foreign/client.crt", "foreign/client.key", "ca.crt"),
        tls_role::client)};
  CAF_CHECK_EQUAL(new_client.dial(port), "");
  CAF_CHECK(old_client.reaches());
}

CAF_TEST(what strangers send breaks no connection but theirs) {
  process node{tls(certs.of("n1"))};
  auto port = node.publish();
  process client{tls(certs.of("client"), tls_role::client)};
  CAF_REQUIRE_EQUAL(client.dial(port), "");
  for (std::string bytes : {std::string{"GET / HTTP/1.0\r\n\r\n"},
                            std::string(32, '\xff'), std::string(20000, 'x')}) {
    raw_connection stranger{port};
    stranger.say(bytes);
    CAF_CHECK(stranger.is_closed());
    CAF_CHECK(client.reaches());
  }
}

CAF_TEST(strangers who say nothing are cut off when more come) {
  process node{tls(certs.of("n1"))};
  auto port = node.publish();
  std::vector<std::unique_ptr<raw_connection>> strangers;
  for (int i = 0; i < 300; ++i)
    strangers.push_back(std::make_unique<raw_connection>(port));
  process client{tls(certs.of("client"), tls_role::client)};
  CAF_REQUIRE_EQUAL(client.dial(port), "");
  CAF_CHECK(client.reaches());
  CAF_CHECK(strangers.front()->is_closed());
}

CAF_TEST(files that others may read count once they may not ) {
  process node{tls(certs.of("n1"))};
  auto port = node.publish();
  process old_client{tls(certs.of("client"), tls_role::client)};
  CAF_CHECK_EQUAL(old_client.dial(port), "");
  std::filesystem::permissions(certs.path("foreign/n1.key"),
                               std::filesystem::perms{0644});
  for (std::string name : {"n1.crt", "n1.key", "ca.crt"})
    std::filesystem::rename(certs.path("foreign/" + name), certs.path(name));
  auto files = certs.files("foreign/client.crt", "foreign/client.key");
  process early{tls(files, tls_role::client)};
  CAF_CHECK(contains(early.dial(port), "TLS failed: "));
  std::filesystem::permissions(certs.path("n1.key"),
                               std::filesystem::perms{0600});
  process client{tls(files, tls_role::client)};
  CAF_CHECK_EQUAL(client.dial(port), "");
}

CAF_TEST(connections leave descriptors for the rest of the process) {
  process node{nullptr};
  auto port = node.publish();
  process client{nullptr};
  CAF_REQUIRE_EQUAL(client.dial(port), "");
  rlimit before{};
  CAF_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  auto lowered = before;
  lowered.rlim_cur = 128;
  CAF_REQUIRE(::setrlimit(RLIMIT_NOFILE, &lowered) == 0);
  // Each takes two descriptors of this process: its own, and the node's.
  std::vector<std::unique_ptr<raw_connection>> strangers;
  for (int i = 0; i < 50; ++i)
    strangers.push_back(std::make_unique<raw_connection>(port));
  CAF_CHECK(strangers.back()->is_closed());
  auto spare = ::dup(0);
  CAF_CHECK(spare >= 0);
  ::close(spare);
  CAF_CHECK(contains(node.warnings.text(), "ulimit -n"));
  CAF_CHECK(client.reaches());
  strangers.clear();
  CAF_CHECK(::setrlimit(RLIMIT_NOFILE, &before) == 0);
}

CAF_TEST(a dial tells why it fails) {
  process client{nullptr};
  uint16_t free_port = 0;
  {
    process node{nullptr};
    free_port = node.publish();
  }
  CAF_CHECK_EQUAL(client.dial(free_port), "connection refused");
}

CAF_TEST(an address that swallows packets costs a dial its patience) {
  // Nobody accepts here, and the queue of one is full.
  auto listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(at);
  auto* address = reinterpret_cast<sockaddr*>(&at);
  CAF_REQUIRE(::bind(listener, address, size) == 0);
  CAF_REQUIRE(::listen(listener, 0) == 0);
  CAF_REQUIRE(::getsockname(listener, address, &size) == 0);
  raw_connection queued{ntohs(at.sin_port)};
  process client{nullptr};
  auto started = std::chrono::steady_clock::now();
  CAF_CHECK_EQUAL(client.dial(ntohs(at.sin_port)), "connection timed out");
  CAF_CHECK(std::chrono::steady_clock::now() - started
            < std::chrono::seconds{10});
  ::close(listener);
}

CAF_TEST_FIXTURE_SCOPE_END()
