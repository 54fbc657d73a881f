// The epoch keeper: what it has on disk, hears of, and is asked for.

#include "actors/epoch_keeper.hpp"

#include "core/epoch_codec.hpp"
#include "core/hash.hpp"
#include "messages/burst.hpp"

#include <algorithm>

namespace covey {

namespace {

/// The shard answers between two batches.
constexpr auto row_timeout = std::chrono::seconds(10);

std::string text_of(const core::epoch_id& x) {
  return std::to_string(x.generation) + "." + std::to_string(x.number);
}

} // namespace

uint64_t epoch_keeper_state::now_ms() const {
  return static_cast<uint64_t>(
    std::chrono::duration_cast<std::chrono::milliseconds>(
      self->clock().now().time_since_epoch())
      .count());
}

void epoch_keeper_state::start(const epoch_keeper_config& cfg,
                               const node_context_ptr& ctx) {
  config = cfg;
  node = ctx;
  newest = node->newest_view()->epoch_handle();
  life_ = core::hash64(std::to_string(node->run), config.seed);
  load();
}

// -- the disk

void epoch_keeper_state::load() {
  asking_rows_ = true;
  auto failed = [this](const caf::error&) {
    asking_rows_ = false;
    retry_at_ms_ = now_ms() + config.retry_ms;
    node->log->warn("epoch-keeper cannot read its rows, and tries again");
  };
  self->request(rows, row_timeout, kept_rows_query{{epoch_name, vote_name}})
    .then(
      [this](const kept_rows& found) {
        asking_rows_ = false;
        loaded(found);
      },
      failed);
}

void epoch_keeper_state::loaded(const kept_rows& found) {
  core::acceptor_state vote;
  for (const auto& [row, bytes] : found.rows) {
    if (row == vote_name) {
      auto stored = core::decode_acceptor_state(bytes);
      if (!stored) {
        node->log->error("epoch-keeper has no vote and decides nothing: what "
                         "it voted is damaged on disk");
        return;
      }
      vote = std::move(*stored);
      continue;
    }
    auto stored = core::decode_epoch(bytes);
    if (!stored || stored->cluster != newest->cluster
        || stored->members.size() <= node->self
        || stored->members[node->self].id != node->me().id) {
      node->log->error("epoch-keeper has no vote and decides nothing: the "
                       "epoch on disk is damaged, or not of {} in cluster {}",
                       node->me().name, newest->cluster);
      return;
    }
    if (!core::continues(*newest, *stored) && stored->id != newest->id)
      node->log->warn("epoch-keeper goes by epoch {} on disk: the members that "
                      "the configuration lists are others",
                      text_of(stored->id));
    newest = std::make_shared<const core::epoch>(std::move(*stored));
  }
  ready_ = true;
  acceptor_ = core::acceptor{next_id(), vote};
  node->log->debug("epoch-keeper starts with epoch {}", text_of(newest->id));
  node->counters.epoch_generation = newest->id.generation;
  node->counters.epoch_number = newest->id.number;
  for (const auto& sink : sinks)
    publish(sink);
  for (size_t m = 0; m < links_.size(); ++m)
    send_word(static_cast<core::member_index>(m), false);
}

void epoch_keeper_state::decided(core::epoch next) {
  if (!core::continues(*newest, next) || (saving_ && !(saving_->id < next.id)))
    return;
  saving_ = std::make_shared<const core::epoch>(std::move(next));
  save_decided();
}

void epoch_keeper_state::save_decided() {
  if (asking_save_)
    return;
  asking_save_ = true;
  auto done = [this, what = saving_](bool saved) {
    asking_save_ = false;
    retry_at_ms_ = now_ms() + config.retry_ms;
    if (!saved)
      node->log->warn("epoch-keeper cannot save epoch {}, and tries again",
                      text_of(what->id));
    else if (what == saving_)
      adopt();
    else
      save_decided();
  };
  self
    ->request(rows, row_timeout,
              kept_rows{{{epoch_name, core::encode(*saving_)}}})
    .then(done, [done](const caf::error&) {
      done(false);
    });
}

void epoch_keeper_state::adopt() {
  auto before = std::move(newest);
  newest = std::move(saving_);
  saving_ = nullptr;
  node->counters.epoch_generation = newest->id.generation;
  node->counters.epoch_number = newest->id.number;
  node->log->info("epoch-keeper: epoch {} is decided: {}", text_of(newest->id),
                  core::difference(*before, *newest));
  // Who got it decided tells all; the others hear of it from word to word.
  auto ours = proposer_ && proposer_->decided();
  note_offered();
  proposer_.reset();
  acceptor_ = core::acceptor{next_id(), acceptor_.state()};
  open_since_ms_ = 0;
  for (const auto& sink : sinks)
    publish(sink);
  for (size_t m = 0; ours && m < links_.size(); ++m)
    send_word(static_cast<core::member_index>(m), true);
  work_queue();
}

void epoch_keeper_state::publish(const epoch_sink_actor& sink) const {
  self->send(sink, epoch_atom::value, newest);
}

void epoch_keeper_state::add_sink(const epoch_sink_actor& sink) {
  sinks.push_back(sink);
  if (ready_)
    publish(sink);
}

// -- peers

void epoch_keeper_state::connected(core::member_index m,
                                   const gossip_link_actor& link) {
  if (links_.size() <= m)
    links_.resize(m + size_t{1});
  links_[m] = link;
  if (ready_)
    send_word(m, false);
}

void epoch_keeper_state::disconnected(core::member_index m) {
  if (m < links_.size())
    links_[m] = gossip_link_actor{};
}

void epoch_keeper_state::send(core::member_index to, frame_kind kind,
                              std::string message) {
  if (to < links_.size() && links_[to])
    self->send(links_[to], gossip_frame{to, kind, std::move(message)});
}

void epoch_keeper_state::send_word(core::member_index to, bool with_epoch) {
  send(to, frame_kind::epoch_word,
       serialize(epoch_word{newest->id, with_epoch ? core::encode(*newest)
                                                   : std::string{}}));
}

void epoch_keeper_state::take(const gossip_frame& in) {
  // What a member says that only a later epoch has can wait for that.
  if (!ready_ || in.peer >= newest->members.size())
    return;
  auto sound = false;
  if (in.kind == frame_kind::paxos) {
    auto message = parse_paxos(in.message);
    sound = message.has_value();
    if (sound)
      on_paxos(in.peer, *message);
  } else if (auto word = parse_epoch_word(in.message)) {
    sound = true;
    on_word(in.peer, *word);
  }
  if (!sound)
    node->log->warn("epoch-keeper drops a malformed message of {} bytes from "
                    "{}",
                    in.message.size(), newest->members[in.peer].name);
  pump();
}

void epoch_keeper_state::on_word(core::member_index from,
                                 const epoch_word& in) {
  if (in.id < newest->id)
    send_word(from, true);
  else if (newest->id < in.id && in.epoch.empty())
    send_word(from, false);
  else if (newest->id < in.id)
    if (auto next = successor(in.epoch, newest->members[from].name.c_str());
        next && next->id == in.id)
      decided(std::move(*next));
}

std::optional<core::epoch>
epoch_keeper_state::successor(std::string_view bytes, const char* whose) const {
  auto result = core::decode_epoch(bytes);
  if (result && core::continues(*newest, *result))
    return result;
  node->log->error("epoch-keeper refuses an epoch of {}: it is malformed, or "
                   "does not follow epoch {}",
                   whose, text_of(newest->id));
  return std::nullopt;
}

epoch_keeper_actor::behavior_type
epoch_keeper(epoch_keeper_actor::stateful_pointer<epoch_keeper_state> self,
             const epoch_keeper_config& config, const node_context_ptr& node,
             const row_keeper_actor& rows) {
  auto& st = self->state;
  st.rows = rows;
  st.start(config, node);
  return {
    [&st](const gossip_frame& in) {
      st.take(in);
    },
    [&st](peer_up_atom, uint16_t member, const gossip_link_actor& link,
          uint64_t) {
      st.connected(member, link);
    },
    [&st](peer_down_atom, uint16_t member) {
      st.disconnected(member);
    },
    [&st](epoch_atom, const epoch_sink_actor& sink) {
      st.add_sink(sink);
    },
    [&st](epoch_proposal& what) {
      return st.propose(what);
    },
    [&st](tick_atom) {
      st.tick();
    },
  };
}

} // namespace covey
