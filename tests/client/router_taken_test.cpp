// The router tells what it has taken, and hears that its session has ended.

#define CAF_SUITE client.router_taken

#include "tests/client/router_fixture.hpp"

using namespace covey;
using namespace covey::client;

namespace {

struct fixture : covey::client::test::router_fixture {
  /// Frames of no interest, `size` bytes.
  static std::string burst_of(size_t size) {
    wire::GetReply reply;
    reply.set_id(1'000'000);
    reply.add_values(std::string(size, 'x'));
    std::string result;
    append_frame(result, frame_kind::get_reply, reply);
    return result;
  }
  void welcome(errc code) {
    wire::ClientWelcome out;
    out.set_code(static_cast<uint32_t>(code));
    out.set_text("this client did not take its answers");
    caf::send_as(w->nodes[1], caf::actor_cast<caf::actor>(aut), out);
    sched.run();
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(router_taken_tests, fixture)

CAF_TEST(bytes taken are told before the requests of the next burst) {
  start(1);
  submit(put("a"));
  sched.run();
  CAF_CHECK(w->taken.empty());
  auto burst = burst_of(1000);
  answer(burst);
  CAF_CHECK(w->taken.empty());
  submit(put("b"));
  sched.run();
  CAF_REQUIRE_EQUAL(w->taken.size(), 1u);
  CAF_CHECK_EQUAL(w->taken[0].first, burst.size());
  CAF_CHECK_EQUAL(w->taken[0].second, 1u);
  // What was told is not told again.
  submit(put("c"));
  sched.run();
  CAF_CHECK_EQUAL(w->taken.size(), 1u);
}

CAF_TEST(many bytes taken are told alone) {
  start(1);
  auto burst = burst_of(200 << 10);
  answer(burst);
  CAF_CHECK(w->taken.empty());
  answer(burst);
  CAF_REQUIRE_EQUAL(w->taken.size(), 1u);
  CAF_CHECK_EQUAL(w->taken[0].first, 2 * burst.size());
}

CAF_TEST(a session that the node has ended begins anew and counts from zero) {
  start(1);
  answer(burst_of(200 << 10));
  submit(put("a"));
  sched.run();
  welcome(errc::connection_lost);
  CAF_REQUIRE(outcomes[0]);
  CAF_CHECK(outcomes[0]->code == errc::connection_lost);
  CAF_CHECK(outcomes[0]->maybe_written);
  pass(std::chrono::milliseconds{500});
  CAF_CHECK_EQUAL(w->dials.size(), 2u);
  w->taken.clear();
  auto burst = burst_of(10);
  answer(burst);
  submit(put("b"));
  sched.run();
  CAF_REQUIRE_EQUAL(w->taken.size(), 1u);
  CAF_CHECK_EQUAL(w->taken[0].first, burst.size());
}

CAF_TEST_FIXTURE_SCOPE_END()
