// A storage shard over an engine in memory, with a flusher that waits.

#pragma once

#include "actors/storage_shard.hpp"
#include "core/record.hpp"
#include "storage/memory_engine.hpp"
#include "tests/actors/fixture.hpp"

namespace covey::test {

struct shard_fixture : node_fixture {
  shard_fixture()
    : disk(std::make_shared<storage::memory_disk>()), flusher(play_flusher()),
      asker(play_asker()) {
    start();
  }

  void start() {
    engine = std::make_unique<storage::memory_engine>(disk);
    config.engine = engine.get();
    // Random incarnations, a different one each time.
    ++config.seed;
    shard = keep(
      sys.spawn(storage_shard, config, node_context_ptr{node}, flusher.handle));
    sched.run();
  }
  /// What was not flushed is lost.
  void crash() {
    kill(shard);
    shard = storage_shard_actor{};
    engine.reset();
    flusher.wishes.clear();
  }
  bool drain() {
    auto reply = self->request(shard, caf::infinite, drain_atom::value);
    sched.run();
    auto result = false;
    reply.receive(
      [&](bool clean) {
        result = clean;
      },
      [&](const caf::error& err) {
        CAF_FAIL(sys.render(err));
      });
    return result;
  }

  /// Hands `ops` over as one message; the asker's answers are of this call.
  void ask(std::vector<replica_op> ops) {
    asker.answers.clear();
    tell(shard, replica_ops{asker.handle, std::move(ops)});
  }
  /// Puts and gives the answers so far.
  const std::vector<replica_answer>& put(const std::string& key,
                                         const std::string& value = "v") {
    ask({operation(replica_verb::put, key, value)});
    return asker.answers;
  }
  /// The dot of a put that must be committed.
  core::dot dot_of_put(const std::string& key) {
    const auto& answers = put(key);
    CAF_REQUIRE(!answers.empty());
    CAF_REQUIRE(answers.front().kind == answer_kind::committed);
    return answers.front().dot;
  }
  void flush_all() {
    auto wishes = flusher.wishes;
    flusher.wishes.clear();
    engine->flush();
    for (const auto& wish : wishes)
      tell(wish.from, flushed_atom::value, wish.sequence);
  }
  /// The values that a plain read finds, joined by spaces.
  std::string read(const std::string& key) {
    ask({operation(replica_verb::read, key)});
    CAF_REQUIRE_EQUAL(asker.answers.size(), 1u);
    CAF_REQUIRE(asker.answers[0].kind == answer_kind::record);
    if (asker.answers[0].bytes.empty())
      return "none";
    auto r = core::decode_record(asker.answers[0].bytes);
    CAF_REQUIRE(r);
    std::string result;
    for (const auto& s : r->siblings)
      result += (result.empty() ? "" : " ") + std::string{s.value};
    return result;
  }
  bool refused(errc code) const {
    return asker.answers.size() == 1
           && asker.answers[0].kind == answer_kind::failed
           && asker.answers[0].code == code;
  }
  core::incarnation incarnation() const {
    return node->incarnations[0];
  }
  /// A record with one value under `id`, as a peer sends it.
  static std::string foreign(core::dot id, const std::string& value = "f") {
    core::record r;
    core::write w;
    w.fresh.id = id;
    w.fresh.stamp = 1;
    w.fresh.value = value;
    core::apply(r, w, core::conflict_policy::siblings);
    // A replica's record claims all that came before.
    r.seen.advance(id);
    std::string result;
    core::encode(r, result);
    return result;
  }

  std::shared_ptr<storage::memory_disk> disk;
  std::unique_ptr<storage::memory_engine> engine;
  storage_shard_config config;
  played_flusher& flusher;
  played_asker& asker;
  storage_shard_actor shard;
};

} // namespace covey::test
