#define CAF_SUITE simulation.duplicates

#include "messages/burst.hpp"
#include "messages/handles.hpp"
#include "tests/simulation/duplicates.hpp"

#include <caf/test/unit_test.hpp>

using namespace covey;
using namespace covey::simulation;

namespace {

caf::message burst_of(const std::vector<frame_kind>& kinds) {
  std::string bytes;
  for (auto kind : kinds)
    append_frame(bytes, kind, std::string_view{"frame"});
  return caf::make_message(burst_atom::value, uint64_t{1}, uint64_t{0},
                           std::move(bytes));
}

} // namespace

CAF_TEST(a burst that hands over a put comes once) {
  CAF_CHECK(!may_come_twice(burst_of({frame_kind::forward})));
  CAF_CHECK(!may_come_twice(burst_of(
    {frame_kind::ping, frame_kind::replica_answer, frame_kind::forward})));
}

CAF_TEST(whatever else nodes say to each other may come twice) {
  CAF_CHECK(may_come_twice(burst_of({})));
  CAF_CHECK(may_come_twice(
    burst_of({frame_kind::ping, frame_kind::pong, frame_kind::replica_request,
              frame_kind::replica_answer, frame_kind::forwarded,
              frame_kind::known, frame_kind::gossip, frame_kind::probe})));
  CAF_CHECK(may_come_twice(caf::make_message(tick_atom::value)));
  CAF_CHECK(may_come_twice(caf::make_message(wire::PeerHello{})));
}
