#include "client/watcher.hpp"

#include "client/actor_systems.hpp"
#include "client/dialer.hpp"
#include "client/node_watcher.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <random>

namespace covey::client {

struct watcher::impl {
  impl(watch_settings settings, node_callback on_event)
    : board(std::make_shared<watch_board>()), system(borrow_system()) {
    board->on_event = std::move(on_event);
    node_watcher_config config;
    config.nodes = std::move(settings.nodes);
    config.all_members = settings.all_members;
    config.agent = std::move(settings.agent);
    config.silence = settings.silence;
    std::random_device entropy;
    config.seed = uint64_t{entropy()} << 32 | entropy();
    config.connect = [sys = system.get(), tls = std::move(settings.tls)] {
      return spawn_dialer(*sys, tls);
    };
    actor = system->spawn(node_watcher, std::move(config), board);
  }

  void cancel() {
    board->cancelled = true;
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  }

  std::shared_ptr<watch_board> board;
  borrowed_system system;
  watching_actor actor;
};

watcher::watcher(watch_settings config, node_callback on_event)
  : impl_(new impl{std::move(config), std::move(on_event)}) {}

watcher::~watcher() {
  impl_->cancel();
  caf::scoped_actor self{*impl_->system};
  self->wait_for(impl_->actor);
}

std::vector<watched_node> watcher::nodes() const {
  std::lock_guard<std::mutex> guard{impl_->board->mutex};
  return impl_->board->nodes;
}

size_t watcher::left_out() const {
  std::lock_guard<std::mutex> guard{impl_->board->mutex};
  return impl_->board->left_out;
}

void watcher::cancel() {
  impl_->cancel();
}

} // namespace covey::client
