#include "messages/network/middleman.hpp"

#include "messages/errors.hpp"
#include "messages/network/connection.hpp"
#include "messages/network/socket.hpp"

#include <caf/detail/socket_guard.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/middleman_actor_impl.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/doorman_impl.hpp>

#include <list>

namespace covey::network {

namespace {

using caf::io::network::default_multiplexer;

/// Connections whose handshake goes on, oldest first.
using waiting_room = std::list<connection*>;

/// Says a thing once a minute at most: strangers must not fill the log.
class rare_word {
public:
  explicit rare_word(std::function<void(const std::string&)> say)
    : say_(std::move(say)) {
    // nop
  }

  void operator()(const std::string& text) {
    auto now = std::chrono::steady_clock::now();
    if (!say_ || (said_ && now < last_ + std::chrono::minutes{1}))
      return;
    said_ = true;
    last_ = now;
    say_(text);
  }

private:
  std::function<void(const std::string&)> say_;
  bool said_ = false;
  std::chrono::steady_clock::time_point last_;
};

class doorman final : public caf::io::network::doorman_impl {
public:
  doorman(default_multiplexer& loop, native_socket socket,
          const middleman_config& config)
    : doorman_impl(loop, socket), tls_(config.tls),
      max_unsent_bytes_(config.max_unsent_bytes),
      waiting_(std::make_shared<waiting_room>()), warn_full_(config.warn),
      warn_overfull_(std::make_shared<rare_word>(config.warn)) {
    // nop
  }

  bool new_connection() override {
    auto& loop = acceptor_.backend();
    auto fd = acceptor_.accepted_socket();
    caf::detail::socket_guard guard{fd};
    // The loop may still have events for us after the broker let go.
    if (detached())
      return false;
    if (!leaves_descriptors(fd)) {
      warn_full_("connections are refused: this process has almost as many "
                 "files and connections open as it may; raise its limit "
                 "(ulimit -n), or find out who opens so many");
      return false;
    }
    caf::io::network::nonblocking(fd, true);
    caf::io::network::keepalive(fd, true);
    byte_stream::events on;
    on.overfull = [say = warn_overfull_] {
      (*say)("a connection is ended: its other end asks, but does not take the "
             "answers");
    };
    auto x
      = tls_ ? secured(loop, fd, std::move(on))
             : caf::make_counted<connection>(loop, fd, nullptr, std::move(on));
    if (!x)
      return false;
    x->limit_unsent(max_unsent_bytes_);
    guard.release();
    auto handle = x->hdl();
    parent()->add_scribe(std::move(x));
    return caf::io::doorman::new_connection(&loop, handle);
  }

private:
  caf::intrusive_ptr<connection>
  secured(default_multiplexer& loop, native_socket fd, byte_stream::events on) {
    std::string error;
    auto session = tls_->accept(fd, error);
    if (!session)
      return nullptr;
    if (waiting_->size() >= max_handshakes)
      waiting_->front()->abort();
    auto place = waiting_->insert(waiting_->end(), nullptr);
    auto leave = [waiting = waiting_, place, gone = false]() mutable {
      if (!gone)
        waiting->erase(place);
      gone = true;
    };
    auto shared = std::make_shared<decltype(leave)>(std::move(leave));
    on.established = [shared] {
      (*shared)();
    };
    on.lost = [shared](const std::string&) {
      (*shared)();
    };
    auto x = caf::make_counted<connection>(loop, fd, std::move(session),
                                           std::move(on));
    *place = x.get();
    return x;
  }

  tls_context_ptr tls_;
  uint64_t max_unsent_bytes_;
  std::shared_ptr<waiting_room> waiting_;
  rare_word warn_full_;
  std::shared_ptr<rare_word> warn_overfull_;
};

class middleman_actor final : public caf::io::middleman_actor_impl {
public:
  middleman_actor(caf::actor_config& settings, caf::actor broker,
                  middleman_config config)
    : middleman_actor_impl(settings, std::move(broker)),
      config_(std::move(config)) {
    // nop
  }

  const char* name() const override {
    return "covey-middleman";
  }

protected:
  caf::expected<caf::io::scribe_ptr> connect(const std::string& host,
                                             uint16_t port) override {
    std::string reason;
    auto fd = connect_tcp(host, port, config_.connect_patience, reason);
    if (fd < 0)
      return caf::make_error(errc::unavailable, reason);
    caf::detail::socket_guard guard{fd};
    caf::io::network::keepalive(fd, true);
    std::unique_ptr<tls_session> session;
    if (config_.tls) {
      session = config_.tls->connect(fd, reason);
      if (!session)
        return caf::make_error(errc::unavailable, reason);
    }
    byte_stream::events on;
    if (config_.note)
      on.lost = [note = config_.note](const std::string& text) {
        note->set(text);
      };
    auto x = caf::make_counted<connection>(loop(), fd, std::move(session),
                                           std::move(on));
    guard.release();
    return caf::io::scribe_ptr{std::move(x)};
  }

  caf::expected<caf::io::doorman_ptr> open(uint16_t port, const char* address,
                                           bool reuse) override {
    auto fd = caf::io::network::new_tcp_acceptor_impl(port, address, reuse);
    if (!fd)
      return std::move(fd.error());
    return caf::io::doorman_ptr{
      caf::make_counted<doorman>(loop(), *fd, config_)};
  }

private:
  default_multiplexer& loop() {
    return static_cast<default_multiplexer&>(system().middleman().backend());
  }

  middleman_config config_;
};

} // namespace

caf::io::middleman_actor spawn_middleman(caf::actor_system& sys,
                                         middleman_config config) {
  auto broker
    = sys.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
  return sys.spawn<middleman_actor, caf::detached + caf::hidden>(
    caf::actor_cast<caf::actor>(broker), std::move(config));
}

} // namespace covey::network
