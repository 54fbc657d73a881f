// What the gateway hands to the epoch keeper.

#include "actors/gateway.hpp"
#include "messages/epoch_frames.hpp"

namespace covey {

namespace {

/// The keeper answers at the deadline at the latest; this is only for one that
/// is started anew meanwhile.
constexpr auto grace = std::chrono::seconds(1);

wire::KeyspaceReply refused(uint64_t id, errc code, std::string text) {
  wire::KeyspaceReply out;
  out.set_id(id);
  out.set_code(static_cast<uint32_t>(code));
  out.set_text(std::move(text));
  return out;
}

} // namespace

caf::typed_response_promise<wire::KeyspaceReply>
gateway_state::change_keyspace(const wire::KeyspaceRequest& in) {
  auto promise = self->make_response_promise<wire::KeyspaceReply>();
  auto id = in.id();
  epoch_proposal what;
  std::string error;
  auto change = change_of(in, error);
  auto now_us = node->wall_us();
  what.deadline_us = in.deadline_us() != 0 ? in.deadline_us()
                                           : now_us + config.default_timeout_us;
  if (!change) {
    promise.deliver(refused(id, errc::change_refused, error));
    return promise;
  }
  if (what.deadline_us < now_us || draining) {
    promise.deliver(
      refused(id, draining ? errc::shutting_down : errc::deadline_expired, {}));
    return promise;
  }
  what.deadline_us = std::min(what.deadline_us, now_us + config.max_timeout_us);
  what.change = std::move(*change);
  what.dry_run = in.dry_run();
  auto patience = std::chrono::microseconds{what.deadline_us - now_us} + grace;
  self->request(keeper, caf::timespan{patience}, std::move(what))
    .then(
      [promise, id](const epoch_outcome& outcome) mutable {
        wire::KeyspaceReply out;
        out.set_id(id);
        to_wire(outcome, out);
        promise.deliver(std::move(out));
      },
      [promise, id](const caf::error&) mutable {
        promise.deliver(refused(id, errc::timed_out,
                                "the epoch keeper was started anew; the change "
                                "may be made yet"));
      });
  return promise;
}

} // namespace covey
