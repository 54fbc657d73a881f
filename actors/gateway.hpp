// The gateway: what clients talk to. Admission, deadline, validation.

#pragma once

#include "actors/node_context.hpp"
#include "actors/request_table.hpp"
#include "core/answer_forecast.hpp"
#include "core/answer_window.hpp"
#include "core/load_limit.hpp"
#include "messages/handles.hpp"
#include "messages/loop_actor.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <map>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace covey {

struct gateway_config {
  uint32_t max_requests = 20'000;
  uint64_t max_bytes = 256ull << 20;
  uint32_t client_credit = 4'096;
  /// Answers sent to one client and not taken.
  uint64_t client_answer_bytes = 16ull << 20;
  /// A session whose answers are not taken for this long ends.
  uint64_t client_patience_us = 30'000'000;
  uint32_t max_clients = 10'000;
  /// Requests for the node's status under way.
  uint32_t max_statuses = 256;
  size_t max_key_bytes = 1'024;
  size_t max_value_bytes = 1 << 20;
  uint32_t max_page_bytes = 1 << 20;
  uint64_t default_timeout_us = 5'000'000;
  uint64_t max_timeout_us = 600'000'000;
  /// A burst of bytes to one client at most.
  size_t burst_bytes = 256 * 1024;
  /// Source of request ids for clients that give none.
  uint64_t seed = 0;
  /// For the status: "fsync" or "periodic", and the version of the program.
  std::string durability = "fsync";
  std::string version;
};

struct gateway_state {
  using put_promise = caf::typed_response_promise<wire::PutReply>;
  using get_promise = caf::typed_response_promise<wire::GetReply>;
  using scan_promise = caf::typed_response_promise<wire::ScanReply>;

  explicit gateway_state(local_gateway_actor::pointer ptr) : self(ptr) {}

  /// Where the answer to a request goes.
  struct in_flight {
    /// Key of `sessions`, zero for a single request with a promise.
    uint64_t session = 0;
    uint64_t client_id = 0;
    size_t bytes = 0;
    client_verb verb = client_verb::put;
    /// What a scan asks for; zero for a get.
    uint64_t page_bytes = 0;
    uint64_t taken_us = 0;
    uint64_t deadline_us = 0;
    std::variant<std::monostate, put_promise, get_promise, scan_promise>
      promise;
  };

  struct session {
    client_session_actor handle;
    uint32_t in_flight = 0;
    std::string out;
    core::reads_under_way reads;
    core::answer_window window;
    /// Counts `out` and what the window has under way.
    core::answer_charge charge;
  };

  void burst(const std::string& bytes);
  void answers(client_answers& batch);
  void note_load(const in_flight& x, errc code, uint64_t now_us);
  void flush();
  /// Validates and admits; errc::none if `op` may go to a coordinator.
  errc check(client_op& op, const std::string& keyspace, std::string& text);
  /// Which limit has no room for `op`; empty if all have.
  std::string crowded(const client_op& op, const session* from) const;
  std::string crowded_reads(const client_op& op, const session* from) const;
  void submit(client_op op, in_flight x);
  void deliver(in_flight& x, client_answer& a);

  // gateway_session.cpp
  void hello(const wire::ClientHello& hello);
  void forget(const caf::actor_addr& client);
  /// `total`: bytes of our bursts that the client has taken since its welcome.
  void taken(session& s, uint64_t total);
  void append(uint64_t id, session& s, client_answer& a);
  void send(session& s);
  /// Ends the sessions that are in `overrun`.
  void drop_overrun();
  void drop(uint64_t id);
  void tick();

  void fill(wire::PutRequest& in, client_op& out);
  void fill(wire::GetRequest& in, client_op& out);
  void fill(wire::ScanRequest& in, client_op& out);
  /// One request of a session's burst, or of a promise.
  template <class Request>
  void take(Request& in, in_flight x);

  /// Answers once the engine's figures are here. Those who ask meanwhile share
  /// them; more than `max_statuses` are refused.
  caf::typed_response_promise<wire::StatusReply>
  ask_status(const wire::StatusRequest& in);
  wire::StatusReply status(const statistic_list& engine) const;
  wire::RingReply ring(const wire::RingRequest& in) const;
  // gateway_epochs.cpp
  caf::typed_response_promise<wire::KeyspaceReply>
  change_keyspace(const wire::KeyspaceRequest& in);
  caf::typed_response_promise<wire::RepairReply>
  ask_repair(const wire::RepairRequest& in);

  local_gateway_actor::pointer self;
  gateway_config config;
  node_context_ptr node;
  view_ptr view;
  std::vector<coordinator_actor> coordinators;
  flusher_actor flusher;
  epoch_keeper_actor keeper;
  /// Null until it has started.
  anti_entropy_actor repairs;
  /// What the gossiper believes; never null.
  liveness_ptr liveness = std::make_shared<core::liveness_view>();
  /// By a number of our own: actor ids of different processes may collide.
  std::map<uint64_t, session> sessions;
  std::map<caf::actor_addr, uint64_t> session_numbers;
  uint64_t last_session = 0;
  request_table<in_flight> table;
  uint64_t bytes_in_flight = 0;
  core::load_limit load;
  core::answer_average average;
  core::reads_under_way reads;
  std::vector<std::vector<client_op>> to_coordinators;
  std::vector<uint64_t> dirty;
  /// Sessions that do not even take their refusals.
  std::vector<uint64_t> overrun;
  std::mt19937_64 random;
  /// Who waits for the status, by the id of the request.
  std::vector<
    std::pair<uint64_t, caf::typed_response_promise<wire::StatusReply>>>
    statuses;
  bool armed = false;
  bool draining = false;
  uint64_t started_us = 0;
  caf::typed_response_promise<bool> drained;
  // Reused, so that their memory is.
  wire::PutRequest put_in;
  wire::GetRequest get_in;
  wire::ScanRequest scan_in;
  wire::PutReply put_out;
  wire::GetReply get_out;
  wire::ScanReply scan_out;
  wire::Taken taken_in;

  static inline constexpr const char* name = "gateway";
};

/// Spawn with `sys.spawn(gateway, config, node, coordinators, flusher,
/// keeper)`.
local_gateway_actor::behavior_type
gateway(loop_pointer<local_gateway_actor, gateway_state> self,
        const gateway_config& config, const node_context_ptr& node,
        const std::vector<coordinator_actor>& coordinators,
        const flusher_actor& flusher, const epoch_keeper_actor& keeper);

} // namespace covey
