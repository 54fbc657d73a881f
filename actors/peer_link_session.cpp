// The peer link's sessions: dialling, greeting, signs of life, loss.

#include "actors/outbox.hpp"
#include "actors/peer_link.hpp"
#include "core/gossip.hpp"
#include "messages/burst.hpp"

#include <algorithm>

namespace covey {

namespace {

constexpr uint32_t protocol_version = 1;
constexpr auto dial_timeout = std::chrono::seconds(5);

/// The knocker takes one after the other, half a second each where nothing
/// answers. Who gave up sooner would ask again, behind its own question.
constexpr auto knock_timeout = std::chrono::minutes(10);

template <class Message>
void put_identity(Message& out, const node_context& node) {
  out.set_protocol(protocol_version);
  out.set_node(node.me().name);
  out.set_member_high(node.me().id.high);
  out.set_member_low(node.me().id.low);
  out.set_run(node.run);
  out.set_previous_run(node.previous_run);
  out.set_clock_us(node.wall_us());
  for (const auto& inc : node.incarnations)
    out.add_incarnations(inc);
}

} // namespace

uint64_t peer_link_state::now_ms() const {
  return static_cast<uint64_t>(
    std::chrono::duration_cast<std::chrono::milliseconds>(
      self->clock().now().time_since_epoch())
      .count());
}

void peer_link_state::start(const peer_link_config& cfg,
                            const node_context_ptr& ctx) {
  config = cfg;
  node = ctx;
  view = node->newest_view();
  backoff_ = core::backoff{config.retry_min_ms, config.retry_max_ms};
  credit_
    = core::credit_window{config.max_bytes_under_way, config.max_requests};
  random_.seed(config.seed);
  // Correlation ids of an earlier life of this link must not match.
  first_ = (random_() >> 1) | 1;
  to_replicas_.resize(replicas.size());
  to_coordinators_.resize(coordinators.size());
  last_tick_ms_ = now_ms();
  node->peers[config.peer].up = false;
  for (const auto& coordinator : coordinators)
    self->send(coordinator, peer_down_atom::value, config.peer);
  self->send(gossiper, peer_down_atom::value, config.peer);
  self->send(hints, peer_down_atom::value, config.peer);
  self->send(keeper, peer_down_atom::value, config.peer);
  self->send(repairs, peer_down_atom::value, config.peer);
  if (dials())
    dial();
}

void peer_link_state::dial() {
  phase_ = phase::dialling;
  next_attempt_ms_ = now_ms() + backoff_.next(random_());
  self
    ->request(connector, dial_timeout, dial_atom::value, peer().host,
              peer().port)
    .then(
      [this](const supervisor_actor& portal) {
        greet(portal);
      },
      [this](const caf::error& err) {
        if (phase_ != phase::dialling)
          return;
        tell_unreachable(err);
        phase_ = phase::down;
        knock();
      });
}

void peer_link_state::knock() {
  if (knocking_)
    return;
  knocking_ = true;
  self
    ->request(knocker, knock_timeout, knock_atom::value, peer().host,
              peer().port)
    .then(
      [this](bool refused) {
        knocking_ = false;
        if (phase_ != phase::up)
          self->send(gossiper, refused_atom::value, config.peer, refused);
      },
      [this](const caf::error&) {
        knocking_ = false;
      });
}

void peer_link_state::tell_unreachable(const caf::error& err) {
  auto why = err.context().match_elements<std::string>()
               ? err.context().get_as<std::string>(0)
               : "no answer in time";
  // Attempts go on for as long as the peer is away.
  if (why == unreachable_)
    return;
  unreachable_ = why;
  node->log->warn("peer-link cannot reach {} at {}:{} yet: {}", peer().name,
                  peer().host, peer().port, why);
}

void peer_link_state::greet(const supervisor_actor& portal) {
  if (phase_ != phase::dialling)
    return;
  phase_ = phase::greeting;
  // The dial may have taken longer than the wait for the next.
  next_attempt_ms_ = std::max(next_attempt_ms_, now_ms());
  portal_ = portal;
  self->monitor(portal);
  session_ = random_();
  wire::PeerHello out;
  put_identity(out, *node);
  out.set_cluster(view->epoch().cluster);
  out.set_epoch_generation(view->id().generation);
  out.set_epoch_number(view->id().number);
  out.set_epoch_hash(core::epoch_hash(view->epoch()));
  out.set_seed_hash(node->seed_hash);
  out.set_target(peer().name);
  out.set_session(session_);
  out.set_known_run(node->peers[config.peer].run);
  self->send(portal, std::move(out));
}

std::string peer_link_state::check_identity(const wire::PeerHello& in) const {
  if (in.cluster() != view->epoch().cluster)
    return "it is of cluster " + in.cluster() + ", we are of "
           + view->epoch().cluster;
  core::uuid member{in.member_high(), in.member_low()};
  if (in.node() != peer().name || member != peer().id)
    return "it is another member than the configuration says";
  if (peer().state == core::member_state::removed)
    return "it was removed from the cluster";
  return check_epoch(in);
}

std::string peer_link_state::check_epoch(const wire::PeerHello& in) const {
  const auto& ours = view->id();
  core::epoch_id theirs{in.epoch_generation(), in.epoch_number()};
  // Unequal epochs are no reason: whoever is behind asks for what it lacks.
  if (theirs == ours)
    return in.epoch_hash() == core::epoch_hash(view->epoch())
             ? std::string{}
             : "its members or keyspaces differ from ours: compare the "
               "configurations";
  if (in.seed_hash() != node->seed_hash && theirs.generation != ours.generation)
    return "it is of generation " + std::to_string(theirs.generation)
           + " and was configured otherwise, we are of "
           + std::to_string(ours.generation);
  return {};
}

std::string peer_link_state::check_process(uint32_t protocol,
                                           uint64_t run) const {
  if (protocol != protocol_version)
    return "it speaks protocol " + std::to_string(protocol) + ", we speak "
           + std::to_string(protocol_version)
           + ": run the same version of coveyd on all nodes";
  if (run < node->peers[config.peer].run)
    return "it is older than the run that we have met";
  if (!core::is_plausible_run(run, node->wall_us() / 1'000'000))
    return "its run " + std::to_string(run)
           + " is more than a year ahead: compare the clocks";
  return {};
}

void peer_link_state::hello(const wire::PeerHello& in) {
  auto from = caf::actor_cast<peer_link_actor>(self->current_sender());
  if (!from)
    return;
  auto why = check_identity(in);
  wire::PeerWelcome out;
  put_identity(out, *node);
  out.set_session(in.session());
  out.set_known_run(node->peers[config.peer].run);
  if (why.empty())
    why = check_process(in.protocol(), in.run());
  if (!why.empty()) {
    node->log->error("peer-link refuses {}: {}", peer().name, why);
    out.set_code(static_cast<uint32_t>(errc::wrong_cluster));
    out.set_text(why);
    self->send(from, std::move(out));
    return;
  }
  if (view->id() < core::epoch_id{in.epoch_generation(), in.epoch_number()})
    ++node->epochs_missed;
  if (phase_ == phase::up)
    go_down("it greets anew");
  self->send(from, std::move(out));
  go_up(from, in.session(), in.run());
  clock_.assume(node->wall_us(), in.clock_us());
  compare_runs(in.run(), in.known_run());
  tell_known({in.incarnations().begin(), in.incarnations().end()});
}

void peer_link_state::disown(uint64_t session) {
  auto from = caf::actor_cast<peer_link_actor>(self->current_sender());
  if (!from)
    return;
  wire::PeerWelcome out;
  put_identity(out, *node);
  out.set_session(session);
  out.set_code(static_cast<uint32_t>(errc::connection_lost));
  out.set_text("it has ended this session");
  self->send(from, std::move(out));
}

void peer_link_state::welcome(const wire::PeerWelcome& in) {
  if (phase_ == phase::up && in.session() == session_ && in.code() != 0)
    go_down(in.text());
  if (phase_ != phase::greeting || in.session() != session_)
    return;
  auto why = in.code() != 0 ? "it says: " + in.text() : std::string{};
  if (why.empty()
      && (in.node() != peer().name
          || core::uuid{in.member_high(), in.member_low()} != peer().id))
    why = "another member answers at its address";
  if (why.empty())
    why = check_process(in.protocol(), in.run());
  if (!why.empty()) {
    node->log->error("peer-link cannot use {}: {}", peer().name, why);
    go_down(why);
    next_attempt_ms_ = now_ms() + config.retry_max_ms;
    return;
  }
  auto from = caf::actor_cast<peer_link_actor>(self->current_sender());
  if (!from)
    return;
  go_up(from, session_, in.run());
  clock_.assume(node->wall_us(), in.clock_us());
  compare_runs(in.run(), in.known_run());
  tell_known({in.incarnations().begin(), in.incarnations().end()});
}

void peer_link_state::compare_runs(uint64_t their_run,
                                   uint64_t their_known_run) {
  node->peers[config.peer].run = their_run;
  // They met a run of ours that our disk does not remember: it is a copy of an
  // older one, and its counters would give dots that exist already.
  if (their_known_run <= node->previous_run || their_known_run == node->run)
    return;
  auto why = peer().name + " has met run " + std::to_string(their_known_run)
             + " of this node, its disk remembers run "
             + std::to_string(node->previous_run);
  node->log->error("peer-link: {}: the data directory is empty or an old copy; "
                   "this node answers no reads, new incarnations are started",
                   why);
  if (!node->disk_lost.exchange(true) && node->on_disk_lost)
    node->on_disk_lost(why);
  for (const auto& shard : shards)
    self->send(shard, renew_atom::value);
}

void peer_link_state::tell_known(const std::vector<core::incarnation>& theirs) {
  for (const auto& shard : shards)
    self
      ->request(shard, std::chrono::seconds(5), known_atom::value,
                incarnation_list{theirs})
      .then(
        [this](const known_counters& list) {
          if (phase_ != phase::up || list.dots.empty())
            return;
          wire::Known out;
          for (const auto& d : list.dots) {
            out.add_incarnations(d.inc);
            out.add_counters(d.counter);
          }
          append_frame(out_, frame_kind::known, out);
          ++out_frames_;
          flush_when_idle(self, armed, [this] {
            flush();
          });
        },
        // Only a help: an incoming record proves the same.
        [](const caf::error&) {});
}

void peer_link_state::go_up(const peer_link_actor& remote, uint64_t session,
                            uint64_t run) {
  phase_ = phase::up;
  remote_ = remote;
  session_ = session;
  received_ = 0;
  told_ = 0;
  unreachable_.clear();
  credit_.reset();
  clock_.reset();
  backoff_.reset();
  out_.clear();
  bulk_.clear();
  out_frames_ = 0;
  last_heard_ms_ = now_ms();
  self->monitor(remote);
  node->peers[config.peer].up = true;
  node->log->info("peer-link to {} is up", peer().name);
  auto me = caf::actor_cast<replica_actor>(self);
  for (const auto& coordinator : coordinators)
    self->send(coordinator, peer_up_atom::value, config.peer, me);
  self->send(gossiper, peer_up_atom::value, config.peer,
             caf::actor_cast<gossip_link_actor>(self), run);
  self->send(hints, peer_up_atom::value, config.peer, me);
  self->send(keeper, peer_up_atom::value, config.peer,
             caf::actor_cast<gossip_link_actor>(self), run);
  self->send(repairs, peer_up_atom::value, config.peer,
             caf::actor_cast<exchange_link_actor>(self));
  add_ping();
  flush_when_idle(self, armed, [this] {
    flush();
  });
}

void peer_link_state::add_ping() {
  last_ping_ms_ = now_ms();
  wire::Ping ping;
  ping.set_clock_us(node->wall_us());
  append_frame(out_, frame_kind::ping, ping);
  ++out_frames_;
}

void peer_link_state::go_down(const std::string& why) {
  if (phase_ == phase::up) {
    node->log->warn("peer-link to {} is down: {}; {} requests fail",
                    peer().name, why, credit_.requests());
    node->peers[config.peer].up = false;
    for (const auto& coordinator : coordinators)
      self->send(coordinator, peer_down_atom::value, config.peer);
    self->send(gossiper, peer_down_atom::value, config.peer);
    next_attempt_ms_ = 0;
    self->send(hints, peer_down_atom::value, config.peer);
    self->send(keeper, peer_down_atom::value, config.peer);
    self->send(repairs, peer_down_atom::value, config.peer);
  }
  phase_ = phase::down;
  if (remote_)
    self->demonitor(remote_.address());
  if (portal_)
    self->demonitor(portal_.address());
  remote_ = peer_link_actor{};
  portal_ = supervisor_actor{};
  out_.clear();
  bulk_.clear();
  out_frames_ = 0;
  for (auto& row : open_)
    if (row.open)
      refuse(row.from, row.id, errc::connection_lost);
  first_ += open_.size();
  open_.clear();
  credit_.reset();
  dispatch();
}

void peer_link_state::lost(const caf::actor_addr& who) {
  if ((remote_ && who == remote_.address())
      || (portal_ && who == portal_.address()))
    go_down("the connection is lost");
}

void peer_link_state::tick() {
  auto now = now_ms();
  // After a pause of our own, what we did not hear proves nothing.
  if (now > last_tick_ms_ + config.timeout_ms / 2)
    last_heard_ms_ = now;
  last_tick_ms_ = now;
  if (phase_ == phase::up) {
    if (now > last_heard_ms_ + config.timeout_ms) {
      go_down("no sign of life for " + std::to_string(now - last_heard_ms_)
              + " ms");
    } else if (now >= last_ping_ms_ + config.heartbeat_ms) {
      add_ping();
    }
    auto now_us = node->wall_us();
    // In order of sending; deadlines need not be, so that all are looked at.
    for (size_t i = 0; i < open_.size(); ++i)
      if (open_[i].open && open_[i].deadline_us < now_us) {
        open_[i].open = false;
        credit_.closed();
        refuse(open_[i].from, open_[i].id, errc::timed_out);
      }
    while (!open_.empty() && !open_.front().open) {
      open_.pop_front();
      ++first_;
    }
  }
  // A dial ends by itself.
  if (phase_ == phase::greeting && now >= next_attempt_ms_ + config.timeout_ms)
    go_down("it does not answer our hello");
  if (phase_ != phase::down || now < next_attempt_ms_)
    return;
  if (dials()) {
    dial();
  } else {
    // It is the peer's to dial; whether it can is worth knowing.
    next_attempt_ms_ = now + backoff_.next(random_());
    knock();
  }
}

} // namespace covey
