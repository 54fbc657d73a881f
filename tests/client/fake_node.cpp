#include "tests/client/fake_node.hpp"

#include "messages/burst.hpp"

#include <caf/io/middleman.hpp>

#include <chrono>

namespace covey::test {

fake_node_config::fake_node_config() {
  load<caf::io::middleman>();
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads", size_t{1});
  set("middleman.workers", size_t{0});
  set("middleman.heartbeat-interval",
      caf::timespan{std::chrono::milliseconds{500}});
  set("middleman.connection-timeout",
      caf::timespan{std::chrono::milliseconds{2500}});
}

namespace {

uint64_t wall_us() {
  auto t = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(
    std::chrono::duration_cast<std::chrono::microseconds>(t).count());
}

template <class Request, class Reply>
bool refused(const Request& request, Reply& reply) {
  reply.set_id(request.id());
  if (request.keyspace() == "default")
    return false;
  reply.set_code(static_cast<uint32_t>(errc::unknown_keyspace));
  reply.set_text("no keyspace '" + request.keyspace() + "'");
  return true;
}

wire::PutReply put(fake_node_state& st, const wire::PutRequest& request) {
  wire::PutReply reply;
  reply.set_id(request.id());
  reply.set_needed(2);
  if (request.deadline_us() < wall_us()) {
    reply.set_code(static_cast<uint32_t>(errc::deadline_expired));
  } else if (st.how == manner::busy && ++st.puts % 2 == 0) {
    reply.set_code(static_cast<uint32_t>(errc::overloaded));
  } else if (st.how == manner::doubtful) {
    auto first = ++st.puts == 1;
    reply.set_code(
      static_cast<uint32_t>(first ? errc::overloaded : errc::disk_full));
    reply.set_maybe_written(first);
  } else if (refused(request, reply)) {
    return reply;
  } else if (request.value().size() > (1 << 20)) {
    reply.set_code(static_cast<uint32_t>(errc::value_too_large));
    reply.set_text("the value has " + std::to_string(request.value().size())
                   + " bytes, the limit is 1048576");
  } else {
    auto& siblings = st.values[request.key()];
    if (!request.context().empty())
      siblings.clear();
    // A value that lives for a millisecond is gone at once.
    if (request.tombstone() || request.ttl_ms() == 1)
      siblings.clear();
    else
      siblings.push_back(request.value());
    reply.set_acked(3);
    reply.set_homes(true);
    reply.set_context("ctx");
  }
  return reply;
}

wire::GetReply get(fake_node_state& st, const wire::GetRequest& request) {
  wire::GetReply reply;
  if (refused(request, reply))
    return reply;
  reply.set_answered(2);
  reply.set_needed(2);
  auto found = st.values.find(request.key());
  if (found != st.values.end())
    for (auto& value : found->second)
      reply.add_values(value);
  reply.set_context("ctx");
  return reply;
}

wire::ScanReply scan(fake_node_state& st, const wire::ScanRequest& request) {
  wire::ScanReply reply;
  if (refused(request, reply))
    return reply;
  size_t bytes = 0;
  auto i = st.values.upper_bound(request.after_key());
  for (; i != st.values.end() && bytes < request.max_bytes(); ++i) {
    auto* entry = reply.add_entries();
    entry->set_key(i->first);
    for (auto& value : i->second) {
      entry->add_values(value);
      bytes += value.size();
    }
    reply.set_next_after_key(i->first);
  }
  reply.set_next_slot(i == st.values.end() ? 16384 : 0);
  if (st.how == manner::circling) {
    reply.set_next_slot(request.slot());
    reply.set_next_after_key(request.after_key());
  }
  return reply;
}

wire::StatusReply status() {
  wire::StatusReply reply;
  reply.set_cluster("fake");
  reply.set_node("n1");
  reply.set_epoch_number(1);
  reply.set_uptime_s(3661);
  reply.set_version("0.1.0");
  reply.set_durability("flushed");
  for (int i = 1; i <= 3; ++i) {
    auto* member = reply.add_members();
    member->set_name("n" + std::to_string(i));
    member->set_address("10.0.0." + std::to_string(i) + ":7100");
    member->set_rack("r" + std::to_string(i));
    member->set_data_centre("dc1");
    member->set_weight(1);
    member->set_up(i != 3);
    member->set_slots(16384);
    member->set_round_trip_us(static_cast<uint32_t>(150 * i));
  }
  auto* keyspace = reply.add_keyspaces();
  keyspace->set_name("default");
  keyspace->set_replication("3");
  keyspace->set_policy("siblings");
  keyspace->set_default_read("QUORUM");
  keyspace->set_default_write("QUORUM");
  auto* statistic = reply.add_statistics();
  statistic->set_name("puts");
  statistic->set_value(12);
  return reply;
}

std::string answer(fake_node_state& st, const std::string& burst) {
  std::string result;
  burst_reader reader{burst};
  frame_kind kind;
  std::string_view bytes;
  wire::PutRequest put;
  wire::GetRequest get;
  wire::ScanRequest scan;
  while (reader.next(kind, bytes)) {
    if (kind == frame_kind::put_request && parse(bytes, put))
      append_frame(result, frame_kind::put_reply, test::put(st, put));
    else if (kind == frame_kind::get_request && parse(bytes, get))
      append_frame(result, frame_kind::get_reply, test::get(st, get));
    else if (kind == frame_kind::scan_request && parse(bytes, scan))
      append_frame(result, frame_kind::scan_reply, test::scan(st, scan));
  }
  return result;
}

} // namespace

fake_node_actor::behavior_type
fake_node(fake_node_actor::stateful_pointer<fake_node_state> self, manner how) {
  auto& st = self->state;
  st.how = how;
  return {
    [&st](const wire::PutRequest& x) {
      return put(st, x);
    },
    [&st](const wire::GetRequest& x) {
      return get(st, x);
    },
    [&st](const wire::ScanRequest& x) {
      return scan(st, x);
    },
    [](const wire::StatusRequest&) {
      return status();
    },
    [](const wire::RingRequest& x) {
      wire::RingReply reply;
      reply.set_id(x.id());
      reply.set_slot(4711);
      reply.add_homes("n1");
      reply.add_homes("n2");
      reply.add_fallbacks("n3");
      return reply;
    },
    [](const wire::KeyspaceRequest&) {
      return wire::KeyspaceReply{};
    },
    [](const wire::RepairRequest& x) {
      wire::RepairReply reply;
      reply.set_id(x.id());
      reply.set_done(true);
      return reply;
    },
    [self](const wire::ClientHello& hello) {
      wire::ClientWelcome welcome;
      welcome.set_nonce(hello.nonce());
      welcome.set_protocol(1);
      welcome.set_clock_us(wall_us());
      welcome.set_credit(1000);
      self->send(caf::actor_cast<client_session_actor>(self->current_sender()),
                 welcome);
    },
    [self](burst_atom, const std::string& burst) {
      if (self->state.how == manner::mute)
        return;
      self->send(caf::actor_cast<client_session_actor>(self->current_sender()),
                 burst_atom::value, answer(self->state, burst));
    },
    [self](gateway_atom) {
      return gateway_actor{self};
    },
    [](children_atom) {
      return wire::Children{};
    },
    [](const wire::PeerHello&) {},
    [](const wire::WatchRequest&) {},
  };
}

} // namespace covey::test
