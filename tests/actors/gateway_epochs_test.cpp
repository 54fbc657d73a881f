// What the gateway hands to the epoch keeper, and what clients hear of it.

#define CAF_SUITE actors.gateway_epochs

#include "tests/actors/gateway_fixture.hpp"

using namespace covey;

namespace {

struct fixture : test::gateway_fixture {
  wire::KeyspaceReply ask(const wire::KeyspaceRequest& in) {
    auto reply = self->request(aut, caf::infinite, in);
    sched.run();
    wire::KeyspaceReply result;
    reply.receive(
      [&](const wire::KeyspaceReply& out) {
        result = out;
      },
      [&](const caf::error& err) {
        CAF_FAIL(sys.render(err));
      });
    return result;
  }
  static wire::KeyspaceRequest request() {
    wire::KeyspaceRequest in;
    in.set_id(7);
    in.set_name("photos");
    in.set_replication("3");
    return in;
  }
  static errc code_of(const wire::KeyspaceReply& x) {
    return static_cast<errc>(x.code());
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(gateway_epochs_tests, fixture)

CAF_TEST(a change of a keyspace goes to the keeper and its outcome back) {
  keeper->outcome.id = {1, 2};
  keeper->outcome.plan = "a plan";
  auto in = request();
  in.set_dry_run(true);
  in.set_deadline_us(now_us + 1000);
  auto out = ask(in);
  CAF_CHECK(code_of(out) == errc::none);
  CAF_CHECK_EQUAL(out.id(), 7u);
  CAF_CHECK_EQUAL(out.epoch_number(), 2u);
  CAF_CHECK_EQUAL(out.plan(), "a plan");
  CAF_REQUIRE_EQUAL(keeper->proposals.size(), 1u);
  const auto& what = keeper->proposals[0];
  CAF_CHECK(what.dry_run);
  CAF_CHECK_EQUAL(what.deadline_us, now_us + 1000);
  CAF_CHECK(std::holds_alternative<core::add_keyspace>(what.change));
  keeper->outcome.code = errc::change_refused;
  keeper->outcome.text = "exists already";
  out = ask(request());
  CAF_CHECK(code_of(out) == errc::change_refused);
  CAF_CHECK_EQUAL(out.text(), "exists already");
  // Without a deadline: the default.
  CAF_CHECK_EQUAL(keeper->proposals[1].deadline_us,
                  now_us + config.default_timeout_us);
}

CAF_TEST(changes that are wrong or late do not reach the keeper) {
  auto in = request();
  in.clear_replication();
  CAF_CHECK(code_of(ask(in)) == errc::change_refused);
  in = request();
  in.set_deadline_us(now_us - 1);
  CAF_CHECK(code_of(ask(in)) == errc::deadline_expired);
  CAF_CHECK(keeper->proposals.empty());
}

CAF_TEST_FIXTURE_SCOPE_END()
