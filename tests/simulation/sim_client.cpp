#include "tests/simulation/sim_client.hpp"

#include "core/context_token.hpp"

#include <caf/all.hpp>

#include <algorithm>

namespace covey::simulation {

namespace {

constexpr uint32_t attempts = 3;
constexpr auto patience = std::chrono::milliseconds(1500);
/// So little that a scan takes several pages.
constexpr uint32_t page_bytes = 64;

} // namespace

sim_client::sim_client(caf::actor_system& sys, sim_net& net,
                       sim_cluster& cluster, history& log, uint32_t number,
                       workload load)
  : net_(net), cluster_(cluster), log_(log), number_(number),
    load_(std::move(load)) {
  actor_ = sys.spawn([this](caf::event_based_actor* self) -> caf::behavior {
    self_ = self;
    return {
      [this](go_atom) {
        next();
      },
      [this](const std::string& keyspace, const std::string& key, host node) {
        get({keyspace, key}, node, {read_level_, 0},
            {core::consistency_level::all, 0});
      },
      [this](caf::put_atom, const std::string& keyspace,
             const std::string& key) {
        put({keyspace, key});
      }};
  });
}

sim_client::~sim_client() {
  net_.kill({caf::actor_cast<caf::strong_actor_ptr>(actor_)});
}

std::vector<key_name> sim_client::keys() {
  return {{siblings_keyspace, "{a}0"}, {siblings_keyspace, "{a}1"},
          {siblings_keyspace, "{b}0"}, {siblings_keyspace, "{b}1"},
          {lww_keyspace, "a0"},        {lww_keyspace, "b0"}};
}

void sim_client::start() {
  idle_ = false;
  caf::anon_send(actor_, go_atom::value);
}

void sim_client::note(const std::string& what) {
  net_.note("client " + std::to_string(number_) + " " + what);
}

void sim_client::pause() {
  if (stopping_) {
    idle_ = true;
    return;
  }
  auto most = static_cast<uint64_t>(load_.think.count()) + 1;
  self_->delayed_send(self_, std::chrono::milliseconds(net_.random()() % most),
                      go_atom::value);
}

bool sim_client::any_node() const {
  for (host n = 0; n < cluster_.size(); ++n)
    if (cluster_.serves(n))
      return true;
  return false;
}

host sim_client::pick_node() {
  auto n = static_cast<host>(net_.random()() % cluster_.size());
  while (!cluster_.serves(n))
    n = (n + 1) % cluster_.size();
  return n;
}

core::consistency sim_client::pick_level() {
  const auto& all = cluster_.shape().accesses;
  if (!net_.chance(load_.other_levels_percent))
    return all.front().level;
  return all[net_.random()() % all.size()].level;
}

size_t sim_client::access_of(const core::consistency& level, host node) const {
  const auto& shape = cluster_.shape();
  return shape.access_of(level, shape.epoch->members[node].data_centre);
}

uint64_t sim_client::deadline_at(host node) const {
  return cluster_.wall_us(node) + std::chrono::microseconds(patience).count();
}

uint64_t sim_client::stamp_of(const key_name& key,
                              const std::string& token) const {
  auto t = core::decode_token(
    token, {cluster_.token_key(), core::keyspace_id(key.keyspace), key.key});
  return t ? t->stamp : 0;
}

void sim_client::next() {
  if (stopping_) {
    idle_ = true;
    return;
  }
  if (!any_node()) {
    // Nobody to ask: no reason to try again at once.
    self_->delayed_send(self_, std::chrono::milliseconds(20), go_atom::value);
    return;
  }
  auto all = keys();
  const auto& key = all[net_.random()() % all.size()];
  auto dice = net_.random()() % 100;
  if (dice < 47) {
    put(key);
  } else if (dice < 95) {
    auto node = pick_node();
    auto level = pick_level();
    auto together = net_.chance(20) ? 3 : 1;
    for (int i = 0; i < together; ++i)
      get(key, node, level, level);
  } else {
    scan_state s;
    s.node = pick_node();
    s.keyspace = key.keyspace;
    s.slot = core::slot_of(key.key, true);
    s.level = pick_level();
    s.access = access_of(s.level, s.node);
    s.invoked_us = net_.now_us();
    scan(std::move(s));
  }
}

void sim_client::put(const key_name& key) {
  put_event event;
  event.key = key.full();
  event.lww = key.lww();
  event.value = "c" + std::to_string(number_) + "-" + std::to_string(++writes_);
  event.tombstone = net_.chance(5);
  event.invoked_us = net_.now_us();
  wire::PutRequest request;
  request.set_keyspace(key.keyspace);
  request.set_key(key.key);
  request.set_value(event.value);
  request.set_tombstone(event.tombstone);
  if (!event.tombstone && net_.chance(load_.ttl_percent)) {
    auto ttl_ms = 200 + net_.random()() % 3000;
    event.ttl_us = ttl_ms * 1000;
    request.set_ttl_ms(ttl_ms);
  }
  auto level = pick_level();
  request.set_level(static_cast<uint32_t>(level.level));
  request.set_level_count(level.count);
  event.strict = net_.chance(load_.strict_percent);
  if (event.strict)
    request.set_quorum(static_cast<uint32_t>(core::quorum_kind::strict));
  request.set_request_high(number_ + 1);
  request.set_request_low(writes_);
  if (net_.chance(70)) {
    auto& mine = known_[event.key];
    event.replaces = mine.values;
    request.set_context(mine.context);
  }
  send_put(log_.add(std::move(event)), std::move(request), 1);
}

void sim_client::send_put(size_t event, wire::PutRequest request,
                          uint32_t attempt) {
  auto node = pick_node();
  auto& put = log_.put(event);
  put.deadline_us = net_.now_us() + std::chrono::microseconds(patience).count();
  put.access = access_of({static_cast<core::consistency_level>(request.level()),
                          request.level_count()},
                         node);
  request.set_deadline_us(deadline_at(node));
  note((put.tombstone ? "deletes as " : "puts ") + put.value + " to " + put.key
       + " through " + std::to_string(node));
  self_
    ->request(cluster_.gateway(first_client + number_, node), patience, request)
    .then(
      [=](const wire::PutReply& reply) {
        put_done(event, request, reply, attempt);
      },
      [=](const caf::error&) {
        wire::PutReply lost;
        lost.set_code(static_cast<uint32_t>(errc::connection_lost));
        lost.set_maybe_written(true);
        put_done(event, request, lost, attempt);
      });
}

void sim_client::put_done(size_t event, const wire::PutRequest& request,
                          const wire::PutReply& reply, uint32_t attempt) {
  auto& put = log_.put(event);
  auto code = static_cast<errc>(reply.code());
  note("put of " + put.value + ": " + to_string(code));
  if (code == errc::none) {
    put.result = outcome::acknowledged;
    put.answered_us = net_.now_us();
    put.by_homes = reply.homes();
    put.stamp = stamp_of({request.keyspace(), request.key()}, reply.context());
    auto& mine = known_[put.key];
    mine.context = reply.context();
    mine.values = put.replaces;
    if (!put.tombstone)
      mine.values.insert(event);
    if (load_.answered)
      load_.answered();
    pause();
    return;
  }
  // Only the first attempt can say that nothing was written at all.
  auto may_have = reply.maybe_written() || attempt > 1;
  if (may_have && repeats() && attempt < attempts && any_node() && !stopping_) {
    send_put(event, request, attempt + 1);
    return;
  }
  if (!may_have)
    put.result = outcome::refused;
  pause();
}

void sim_client::get(const key_name& key, host node, core::consistency level,
                     core::consistency counts_as) {
  wire::GetRequest request;
  request.set_keyspace(key.keyspace);
  request.set_key(key.key);
  request.set_level(static_cast<uint32_t>(level.level));
  request.set_level_count(level.count);
  request.set_deadline_us(deadline_at(node));
  get_event event;
  event.key = key.full();
  event.lww = key.lww();
  event.access = access_of(counts_as, node);
  event.invoked_us = net_.now_us();
  last_read_ok_ = false;
  ++reading_;
  self_
    ->request(cluster_.gateway(first_client + number_, node), patience,
              std::move(request))
    .then(
      [this, key, event](const wire::GetReply& reply) {
        if (reply.code() == 0)
          got(key, event, reply);
        else
          note("get of " + event.key + ": "
               + to_string(static_cast<errc>(reply.code())) + ", "
               + reply.text());
        get_done();
      },
      [this](const caf::error&) {
        note("get is not answered");
        get_done();
      });
}

void sim_client::get_done() {
  if (--reading_ == 0)
    pause();
}

void sim_client::got(const key_name& key, get_event event,
                     const wire::GetReply& reply) {
  last_read_ok_ = true;
  event.answered_us = net_.now_us();
  event.values.assign(reply.values().begin(), reply.values().end());
  event.stamp = stamp_of(key, reply.context());
  auto& mine = known_[event.key];
  mine.context = reply.context();
  mine.values.clear();
  std::string text;
  for (const auto& value : event.values) {
    text += " " + value;
    if (auto i = log_.find(value); i < log_.puts().size())
      mine.values.insert(i);
  }
  note("gets " + event.key + " at "
       + core::to_string(cluster_.shape().accesses[event.access].level) + ":"
       + text);
  auto found = !event.values.empty();
  log_.add(std::move(event));
  if (found && load_.answered)
    load_.answered();
}

void sim_client::scan(scan_state s) {
  wire::ScanRequest request;
  request.set_keyspace(s.keyspace);
  request.set_slot(s.slot);
  request.set_end_slot(s.slot + 1);
  request.set_after_key(s.after);
  request.set_max_bytes(page_bytes);
  request.set_level(static_cast<uint32_t>(s.level.level));
  request.set_level_count(s.level.count);
  request.set_deadline_us(deadline_at(s.node));
  // Its node may have crashed since the last page.
  if (!cluster_.serves(s.node)) {
    pause();
    return;
  }
  self_
    ->request(cluster_.gateway(first_client + number_, s.node), patience,
              std::move(request))
    .then(
      [this, s = std::move(s)](const wire::ScanReply& reply) {
        scanned(s, reply);
      },
      [this](const caf::error&) {
        pause();
      });
}

void sim_client::scanned(scan_state s, const wire::ScanReply& reply) {
  if (reply.code() != 0) {
    pause();
    return;
  }
  // A key that comes on two pages shows as a value that comes twice.
  for (const auto& entry : reply.entries()) {
    auto& row = s.rows[entry.key()];
    row.insert(row.end(), entry.values().begin(), entry.values().end());
  }
  if (reply.next_slot() == s.slot) {
    s.after = reply.next_after_key();
    scan(std::move(s));
    return;
  }
  finish_scan(s);
  pause();
}

void sim_client::finish_scan(const scan_state& s) {
  std::vector<key_name> expected;
  for (const auto& key : keys())
    if (key.keyspace == s.keyspace && core::slot_of(key.key, true) == s.slot)
      expected.push_back(key);
  // Keys of other slots have no business here.
  for (const auto& row : s.rows)
    if (std::none_of(expected.begin(), expected.end(), [&](const auto& key) {
          return key.key == row.first;
        }))
      expected.push_back({"no key of this slot", row.first});
  for (const auto& key : expected) {
    get_event event;
    event.key = key.full();
    event.lww = key.lww();
    event.scanned = true;
    event.access = s.access;
    event.invoked_us = s.invoked_us;
    event.answered_us = net_.now_us();
    std::string text;
    if (auto row = s.rows.find(key.key); row != s.rows.end())
      event.values = row->second;
    for (const auto& value : event.values)
      text += " " + value;
    note("scans " + event.key + " at "
         + core::to_string(cluster_.shape().accesses[event.access].level) + ":"
         + text);
    log_.add(std::move(event));
  }
}

void sim_client::write(const key_name& key) {
  idle_ = false;
  caf::anon_send(actor_, caf::put_atom::value, key.keyspace, key.key);
}

void sim_client::read(const key_name& key, host node,
                      core::consistency_level level) {
  idle_ = false;
  read_level_ = level;
  caf::anon_send(actor_, key.keyspace, key.key, node);
}

} // namespace covey::simulation
