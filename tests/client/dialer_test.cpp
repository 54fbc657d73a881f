// A client's dialer outlives the crashes of what dials for it.

#define CAF_SUITE client.dialer

#include "client/dialer.hpp"
#include "tests/test.hpp"

#include <vector>

using namespace covey;
using namespace covey::client;

namespace {

struct fixture : covey::test::fixture {
  fixture() {
    aut = spawn_lasting_dialer(sys, [this] {
      spawned.push_back(sys.spawn(play_connector));
      return spawned.back();
    });
    sched.run();
  }
  ~fixture() override {
    end(aut, caf::exit_reason::user_shutdown);
  }

  static connector_actor::behavior_type play_connector() {
    return {
      [](dial_atom, const std::string&,
         uint16_t) -> caf::result<supervisor_actor> {
        return caf::make_error(errc::unavailable, std::string{"refused"});
      },
    };
  }
  caf::error dial() {
    caf::error result;
    auto reply = self->request(aut, caf::infinite, dial_atom::value, "host",
                               uint16_t{1});
    sched.run();
    reply.receive([](const supervisor_actor&) {},
                  [&](const caf::error& err) {
                    result = err;
                  });
    return result;
  }
  void end(const connector_actor& who, caf::exit_reason how) {
    caf::anon_send_exit(who, how);
    sched.run();
  }
  bool ended(const connector_actor& who) {
    self->monitor(who);
    auto result = false;
    self->receive(
      [&](const caf::down_msg&) {
        result = true;
      },
      caf::after(std::chrono::seconds(0)) >> [] {});
    return result;
  }

  connector_actor aut;
  std::vector<connector_actor> spawned;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(dialer_tests, fixture)

CAF_TEST(dials are answered by the dialer behind it) {
  CAF_CHECK(dial() == errc::unavailable);
  CAF_CHECK(dial() == errc::unavailable);
  CAF_CHECK_EQUAL(spawned.size(), 1u);
}

CAF_TEST(a dialer that has crashed is followed by another) {
  dial();
  end(spawned.at(0), caf::exit_reason::unhandled_exception);
  CAF_CHECK_EQUAL(spawned.size(), 1u);
  CAF_CHECK(dial() == errc::unavailable);
  CAF_CHECK_EQUAL(spawned.size(), 2u);
}

CAF_TEST(the dialer behind it ends with it) {
  dial();
  end(aut, caf::exit_reason::user_shutdown);
  CAF_CHECK(ended(spawned.at(0)));
}

CAF_TEST_FIXTURE_SCOPE_END()
