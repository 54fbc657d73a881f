// A coordinator of n1 whose homes the test plays.

#pragma once

#include "actors/coordinator.hpp"
#include "core/context_token.hpp"
#include "core/record.hpp"
#include "tests/actors/fixture.hpp"

namespace covey::test {

struct coordinator_fixture : node_fixture {
  coordinator_fixture()
    : client(play_client_asker()), homes{&play_replica(), &play_replica(),
                                         &play_replica()} {
    aut = keep(sys.spawn(coordinator, config, node_context_ptr{node},
                         std::vector<replica_actor>{homes[0]->handle}));
    sched.run();
    up(1);
    up(2);
  }

  void up(core::member_index m) {
    tell(aut, peer_up_atom::value, m, homes[m]->handle);
  }
  void down(core::member_index m) {
    tell(aut, peer_down_atom::value, m);
  }
  void submit(const client_op& op) {
    tell(aut, client_ops{client.handle, {op}});
  }
  void tick_after_ms(uint64_t ms) {
    pass_ms(ms);
    tell(aut, tick_atom::value);
  }
  size_t asked(core::member_index m) const {
    return homes[m]->ops.size();
  }
  size_t asked() const {
    return asked(0) + asked(1) + asked(2);
  }
  /// The only operation that member `m` was asked for since the last call.
  replica_op take(core::member_index m) {
    CAF_REQUIRE_EQUAL(homes[m]->ops.size(), 1u);
    auto result = std::move(homes[m]->ops[0]);
    homes[m]->ops.clear();
    return result;
  }

  void reply(core::member_index m, replica_answer a) {
    replica_answers message;
    message.from = m;
    message.answers.push_back(std::move(a));
    tell(aut, std::move(message));
  }
  void reply(core::member_index m, const replica_op& op, answer_kind kind,
             std::string bytes = {}) {
    replica_answer a;
    a.id = op.id;
    a.kind = kind;
    a.bytes = std::move(bytes);
    reply(m, std::move(a));
  }
  void refuse(core::member_index m, const replica_op& op, errc code) {
    replica_answer a;
    a.id = op.id;
    a.code = code;
    reply(m, std::move(a));
  }
  /// The local commit of a put under `dot`.
  void commit(const replica_op& op, core::dot dot = {5, 1}) {
    replica_answer a;
    a.id = op.id;
    a.kind = answer_kind::committed;
    a.dot = dot;
    a.stamp = now_us;
    a.bytes = "the record";
    reply(0, std::move(a));
  }
  bool answered(errc code) const {
    return client.answers.size() == 1 && client.answers[0].code == code;
  }

  static client_op at(client_op op, core::consistency_level level,
                      uint32_t number = 0) {
    op.level = {level, number};
    return op;
  }
  /// A record with a value for each dot, none having seen another.
  static std::string record_of(const std::vector<core::dot>& dots,
                               bool tombstones = false, uint64_t expiry = 0) {
    core::record r;
    for (auto d : dots) {
      auto value = "v" + std::to_string(d.inc);
      core::write w;
      w.fresh.id = d;
      w.fresh.stamp = d.counter;
      w.fresh.tombstone = tombstones;
      w.fresh.expires_at_ms = expiry;
      w.fresh.value = tombstones ? std::string_view{} : value;
      core::apply(r, w, core::conflict_policy::siblings);
      // The views must live until the record is encoded.
      std::string bytes;
      core::encode(r, bytes);
      kept_bytes().push_back(std::move(bytes));
      r = *core::decode_record(kept_bytes().back());
    }
    return kept_bytes().back();
  }
  std::optional<core::token> token_of(const std::string& bytes,
                                      const std::string& key,
                                      const std::string& ks = "default") const {
    return core::decode_token(bytes,
                              {node->token_key, core::keyspace_id(ks), key});
  }

  coordinator_config config;
  played_client_asker& client;
  /// By member; the first is the replica of this node, the others are links.
  std::array<played_replica*, 3> homes;
  coordinator_actor aut;

private:
  static std::deque<std::string>& kept_bytes() {
    static std::deque<std::string> result;
    return result;
  }
};

} // namespace covey::test
