// The coordinator: requests in flight on behalf of clients.

#pragma once

#include "actors/grouped.hpp"
#include "actors/node_context.hpp"
#include "actors/planted_bug.hpp"
#include "actors/repairs_in_flight.hpp"
#include "actors/request_table.hpp"
#include "actors/unsent_gets.hpp"
#include "actors/waiting_room.hpp"
#include "core/get_core.hpp"
#include "core/put_core.hpp"
#include "core/scan_core.hpp"
#include "core/share_limit.hpp"
#include "core/token_bucket.hpp"
#include "core/usual_latency.hpp"
#include "messages/handles.hpp"
#include "messages/loop_actor.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <array>
#include <map>
#include <optional>
#include <queue>
#include <string>
#include <vector>

namespace covey {

struct coordinator_config {
  /// A home silent for longer than this is not waited for alone: another one
  /// is asked as well.
  uint64_t patience_us = 100'000;
  /// A home that has not acknowledged a put for so long gets a hint.
  uint64_t put_patience_us = 500'000;
  /// Hints a second for a home that is up, but slow; beyond, its slots are
  /// marked for repair.
  uint32_t slow_hints_per_s = 200;
  /// How long a put lives on after its deadline for the homes that lack it.
  uint64_t linger_us = 5'000'000;
  /// Homes that answer nearly always sooner than that are given up to be slow
  /// sooner, but not before this.
  uint64_t hurry_us = 5'000;
  /// Larger records are compared by their digests.
  uint32_t digest_above_bytes = 1024;
  /// Repairs under way that no client waits for.
  size_t max_background_repairs = 256;
  planted_bug planted = planted_bug::none;
};

/// One request in flight.
struct pending_request {
  static constexpr size_t max_homes = 16;

  client_verb verb = client_verb::get;
  client_asker_actor from;
  uint64_t id = 0;
  uint64_t started_us = 0;
  uint64_t deadline_us = 0;
  /// Times that patience ran out.
  uint32_t impatient = 0;
  /// The view that it was planned under, which the coordinator keeps.
  const core::cluster_view* view = nullptr;
  const core::placed_keyspace* keyspace = nullptr;
  /// Counts up when it is planned anew; answers to earlier plans are told by
  /// it.
  uint8_t plan = 0;
  /// A home knows an epoch in which the slot's homes are others: it is planned
  /// anew once this node knows it, too.
  bool awaits_epoch = false;
  core::consistency level;
  uint16_t slot = 0;
  std::string key;
  std::array<core::member_index, max_homes> homes{};
  uint8_t home_count = 0;
  /// The homes, and the fallbacks after them.
  core::preference_list list;
  /// Why each home did not do what it was asked; none if it did or is awaited.
  std::array<errc, max_homes> failures{};
  std::optional<core::put_core> put;
  std::optional<core::get_core> get;
  /// Get: homes asked when it started, which tell how long homes take.
  core::home_set asked_first = 0;
  /// Get: the one whose reads will answer this one too; and those that wait
  /// for the reads of this one.
  std::optional<ticket> leader;
  std::vector<ticket> joined;
  std::optional<core::scan_core> scan;
  /// Scans: last slot with the same homes, and bytes wanted.
  uint16_t last_slot = 0;
  uint32_t max_bytes = 0;
  std::string prefix;
  /// What the put's answer lets the client claim.
  core::context seen;
  uint64_t stamp = 0;
  /// The put has a version: others may have it.
  bool committed = false;
  /// Only homes are counted.
  bool strict = false;
  /// This node is a fallback.
  bool parked = false;
  /// Answered at its deadline, and alive for the homes that lack it.
  bool lingering = false;
  /// Homes whose hints are part of the commit here.
  core::home_set absent = 0;
  /// What was committed, until the client is answered.
  std::string record;
  /// Records and pages collected.
  core::answer_charge held;
  /// A put to be executed here, without its value, until it has a version.
  std::optional<client_op> op;
  /// A put on its way to a home that coordinates it: the request itself.
  std::optional<client_op> forwarded;
  /// A home has refused it by itself: there is one that can be reached.
  bool home_spoke = false;
  /// Places it was sent to, and those that have not failed it yet.
  core::home_set sent = 0;
  core::home_set awaited = 0;
  /// One of those that failed it may have executed it.
  bool maybe_written = false;
};

struct coordinator_state {
  explicit coordinator_state(coordinator_actor::pointer ptr) : self(ptr) {}

  void start(client_ops& ops);
  void adopt(view_ptr next);
  void on_answers(replica_answers& answers);
  void tick();
  /// Reads from one more home where those asked take longer than usual.
  void hurry();
  /// A member can no longer be reached: what it was asked fails. The link says
  /// so too, unless it has crashed.
  void lose(core::member_index m);
  /// Sends all that was gathered.
  void flush();

  coordinator_actor::pointer self;
  coordinator_config config;
  node_context_ptr node;
  /// Of the newest epoch that has come.
  view_ptr view;
  /// Replicas of this node by shard, links by member; null while down.
  std::vector<replica_actor> replicas;
  std::vector<replica_actor> links;
  /// What the gossiper believes; never null.
  liveness_ptr liveness = std::make_shared<core::liveness_view>();
  bool armed = false;

  static inline constexpr const char* name = "coordinator";

private:
  using request = pending_request;
  enum purpose : uint8_t {
    asking = 0,
    repairing = 1,
    /// A fallback keeps a hint; the place is the fallback's.
    hinting = 2,
    /// The shard here keeps one; the place is that of the home.
    keeping = 3,
    forwarding = 4,
  };

  // Common.
  void start_one(const client_asker_actor& from, client_op& op);
  /// Plans `op` under the newest view; a request that cannot be is refused and
  /// removed.
  void begin(ticket t, request& r, client_op& op);
  /// Makes room for the members of the view.
  void grow();
  void forget_views();
  bool place(request& r, const client_op& op);
  /// Keyspace and homes of `r` in the newest view; false if it has none.
  bool locate(request& r, uint32_t keyspace);
  const core::requirement* requirement_for(const request& r);
  bool reachable(core::member_index m) const;
  /// Reachable, and neither suspected nor behind with its disk.
  bool takes_writes(core::member_index m) const;
  core::home_set unreachable_homes(const request& r) const;
  core::home_order order_of(const request& r) const;
  std::optional<uint8_t> own_place(const request& r) const;
  /// This node's place among the fallbacks.
  std::optional<uint8_t> own_fallback(const request& r) const;
  replica_op op_for(const request& r, ticket t, uint8_t place,
                    replica_verb verb, purpose why) const;
  void ask(const request& r, uint8_t place, replica_op op);
  void answer(const request& r, client_answer a);
  void refuse(const client_asker_actor& from, const client_op& op, errc code,
              std::string text = {}, bool maybe_written = false);
  void expire(const ticket& t, request& r);
  /// `verb`: what the homes in `homes` did, or are.
  std::string describe(const request& r, const core::requirement& need,
                       core::home_set homes,
                       const char* verb = "answered") const;

  // coordinator_epoch.cpp (docs/design/epochs.md)
  /// The homes of a slot that it reads or writes have changed since its plan.
  bool is_outdated(const request& r) const;
  /// Under the newest view; answers to the plan before are not waited for.
  void plan_anew(ticket t, request& r);
  void read_anew(ticket t, request& r);
  void replicate_anew(ticket t, request& r);
  /// A put that nobody has executed, as if it came now.
  void put_anew(ticket t, request& r);
  /// True if `a` says that a home knows a later epoch, and the request waits.
  bool await_epoch(ticket t, request& r, const replica_answer& a);
  /// An answer to an earlier plan of `r`, by member `from`.
  void earlier_answer(ticket t, request& r, core::member_index from,
                      const replica_answer& a);

  // coordinator_put.cpp
  void start_put(ticket t, request& r, client_op& op, core::requirement need);
  void put_answer(ticket t, request& r, replica_answer& a);
  void move_to_next_home(ticket t, request& r, std::string value);
  /// The answer of the shard here; false if the request is gone.
  bool local_answer(ticket t, request& r, replica_answer& a);
  void replicate(ticket t, request& r, const std::string& bytes);
  /// Notes what the put's answer lets the client claim.
  static void claim(request& r, const replica_answer& a);
  /// Answers the client once there is something to say, and forgets the request
  /// once nothing is left to do.
  void conclude(ticket t, request& r);
  bool park(ticket t, request& r);

  // coordinator_hints.cpp
  /// Gives stand-ins to the homes that cannot take the put now. False if the
  /// level is out of reach.
  bool plan(request& r, const core::requirement& need);
  bool plan_without(request& r, const core::requirement& need,
                    core::home_set avoided);
  /// `put_core::here` if there is none left.
  uint8_t pick_fallback(const request& r, uint8_t home) const;
  bool counts(const request& r, uint8_t home, core::member_index by) const;
  /// Sees to the homes that need a stand-in.
  void attend(ticket t, request& r);
  /// Deadline of a hint: what its client has given up is owed to the home all
  /// the same.
  uint64_t owed_until() const;
  void send_hint(ticket t, const request& r, uint8_t home, uint8_t place);
  void lose_patience(ticket t, request& r);
  void expire_put(ticket t, request& r);
  void start_forward(ticket t, request& r, client_op& op);
  bool forward_next(ticket t, request& r);
  void forward_answer(ticket t, request& r, replica_answer& a);

  // coordinator_get.cpp
  /// True if `a` failed because this node has no memory for more answers: `r`
  /// was answered so and removed, since another home's would not fit either.
  bool out_of_room(ticket t, request& r, const replica_answer& a);
  /// What a read whose level cannot be met is answered.
  static errc code_of_failed_read(const request& r, errc otherwise);
  void start_get(ticket t, request& r, const core::requirement& need);
  void start_reading(ticket t, request& r, const core::requirement& need);
  void get_answer(ticket t, request& r, replica_answer& a, uint8_t why);
  void get_action(ticket t, request& r, const core::get_core::action& what);
  void answer_get(request& r);
  /// Answers a get and those that joined it.
  void answer_readers(request& r, client_answer a);

  // coordinator_join.cpp
  static uint64_t hash_of(const request& r);
  /// True if `r` waits for the reads of another get from now on.
  bool join(ticket t, request& r);
  /// Those that wait for the reads of `r`, which will bring nothing: they read
  /// for themselves.
  void read_apart(request& r);

  // coordinator_repair.cpp
  void repair(ticket t, request& r, uint8_t place, bool awaited);
  void repair_answer(ticket t, request& r, bool done);
  /// Others that wait for repairs of `r`, which is forgotten, repair
  /// themselves.
  void leave_repairs(ticket t, request& r);
  void refill(ticket t, const request& r);

  // coordinator_latency.cpp
  /// How long a member takes, in microseconds; 0 if nothing is known.
  uint64_t latency_of(core::member_index m) const;
  void note_latency(core::member_index m, uint64_t since_us);
  /// The same of writes, until they are on its disk.
  void note_durable(core::member_index m, uint64_t since_us);
  /// Homes that a get that is over does not wait for any more.
  void note_unanswered(const request& r);
  void expect_answers(ticket t, const request& r);
  void update_usual();
  void start_scan(ticket t, request& r, const client_op& op,
                  core::requirement need);
  void scan_answer(ticket t, request& r, replica_answer& a);
  void scan_action(ticket t, request& r, const core::scan_core::action& what);
  void answer_scan(request& r);
  void visible_values(const core::record& rec,
                      std::vector<std::string>& out) const;

  request_table<request> table_;
  /// Those that requests in flight were planned under.
  std::vector<view_ptr> earlier_;
  /// Of epochs that are not known here yet.
  waiting_room<client_asker_actor, client_op> early_;
  /// Hints for members that are up, but slow.
  std::vector<core::token_bucket> spare_;
  unsent_gets unsent_;
  repairs_in_flight repairs_{0};
  // By member.
  std::vector<core::usual_latency> latencies_;
  /// Smoothed as latencies are; 0 if nothing is known.
  std::vector<uint64_t> durable_after_us_;
  /// What nearly all answers take at most; the maximum if nothing is known.
  std::vector<uint64_t> usual_us_;
  /// Of 10 gets one may read more than the level needs.
  core::share_limit extra_reads_{10, 100};
  /// Gets by when they will have taken longer than usual.
  std::priority_queue<std::pair<uint64_t, uint64_t>,
                      std::vector<std::pair<uint64_t, uint64_t>>,
                      std::greater<>>
    unusual_;
  bool hurrying_ = false;
  /// Of the message that is handled.
  uint64_t now_us_ = 0;
  uint64_t aged_us_ = 0;
  /// Requirements of clusters with one data centre: by level, count, homes.
  std::map<std::array<uint32_t, 3>, std::optional<core::requirement>> known_;
  std::optional<core::requirement> computed_;
  bool one_data_centre_ = false;
  std::vector<std::vector<replica_op>> to_replicas_;
  std::vector<std::vector<replica_op>> to_links_;
  grouped<client_asker_actor, client_answer> to_clients_;

  friend coordinator_actor::behavior_type
  coordinator(loop_pointer<coordinator_actor, coordinator_state>,
              const coordinator_config&, const node_context_ptr&,
              const std::vector<replica_actor>&);
};

/// Spawn with `sys.spawn(coordinator, config, node, replicas)`; links announce
/// themselves with `peer_up`.
coordinator_actor::behavior_type
coordinator(loop_pointer<coordinator_actor, coordinator_state> self,
            const coordinator_config& config, const node_context_ptr& node,
            const std::vector<replica_actor>& replicas);

} // namespace covey
