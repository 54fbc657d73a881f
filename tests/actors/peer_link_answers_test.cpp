// The peer link's answers: bounded bytes in both directions.

#define CAF_SUITE actors.peer_link_answers

#include "tests/actors/link_fixture.hpp"

using namespace covey;

namespace {

struct fixture : test::link_fixture {
  static replica_answers records(const std::vector<size_t>& sizes) {
    replica_answers out;
    for (auto size : sizes) {
      out.answers.emplace_back();
      out.answers.back().kind = answer_kind::record;
      out.answers.back().bytes = std::string(size, 'r');
    }
    return out;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(peer_link_answers_tests, fixture)

CAF_TEST(records that would fill the link go as refusals) {
  config.max_bytes_under_way = 4000;
  connected();
  tell(aut, records({1200}));
  auto first = take<wire::ReplicaAnswer>(frame_kind::replica_answer);
  CAF_CHECK_EQUAL(first.bytes().size(), 1200u);
  tell(aut, records({1200, 300}));
  auto frames = take();
  CAF_REQUIRE_EQUAL(frames.size(), 2u);
  wire::ReplicaAnswer out;
  CAF_REQUIRE(parse(frames[0].message, out));
  CAF_CHECK_EQUAL(out.code(), static_cast<uint32_t>(errc::overloaded));
  CAF_CHECK(out.bytes().empty());
  CAF_CHECK(!out.text().empty());
  // A smaller one still fits.
  CAF_REQUIRE(parse(frames[1].message, out));
  CAF_CHECK_EQUAL(out.bytes().size(), 300u);
  CAF_CHECK_EQUAL(node->counters.peer_answers_refused, 1u);
  // Requests have the other half.
  ask({operation(replica_verb::write, "k", std::string(1500, 'r'))});
  CAF_CHECK(asker.answers.empty());
  take();
  // The peer takes all: there is room again.
  receive("", 10'000);
  tell(aut, records({1900}));
  CAF_CHECK_EQUAL(
    take<wire::ReplicaAnswer>(frame_kind::replica_answer).bytes().size(),
    1900u);
}

CAF_TEST(a record from the peer that the node has no memory for is refused) {
  node->answers = std::make_shared<core::answer_budget>(10);
  connected();
  ask({read(), read()});
  std::vector<uint64_t> ids;
  for (const auto& frame : take()) {
    wire::ReplicaRequest out;
    CAF_REQUIRE(parse(frame.message, out));
    ids.push_back(out.id());
  }
  core::answer_charge others{node->answers, 4};
  answer(ids[0]);
  CAF_CHECK_EQUAL(node->answers->held(), 10u);
  answer(ids[1]);
  CAF_REQUIRE_EQUAL(asker.answers.size(), 2u);
  CAF_CHECK_EQUAL(asker.answers[0].bytes, "record");
  CAF_CHECK(asker.answers[1].code == errc::overloaded);
  CAF_CHECK_EQUAL(node->counters.answers_refused, 1u);
}

CAF_TEST(many bytes taken are acknowledged at once with nothing else to say) {
  config.max_bytes_under_way = 800;
  connected();
  wire::ReplicaAnswer unknown;
  unknown.set_bytes(std::string(90, 'r'));
  receive(frame_kind::replica_answer, unknown);
  CAF_CHECK(remote.bursts.empty());
  receive(frame_kind::replica_answer, unknown);
  CAF_REQUIRE_EQUAL(remote.bursts.size(), 1u);
  CAF_CHECK(remote.bursts[0].bytes.empty());
  CAF_CHECK(remote.bursts[0].taken >= 180);
  // Which is nothing to acknowledge in turn.
  receive("", 0);
  CAF_CHECK_EQUAL(remote.bursts.size(), 1u);
}

CAF_TEST(an operation that has expired is not sent) {
  connected();
  auto op = read();
  op.deadline_us = now_us - 1;
  ask({op});
  CAF_CHECK(refused(errc::deadline_expired));
  CAF_CHECK(take().empty());
}

CAF_TEST_FIXTURE_SCOPE_END()
