#include "tests/simulation/sim_client.hpp"

#include <caf/all.hpp>

namespace covey::simulation {

namespace {

constexpr uint32_t keys = 4;
constexpr uint32_t attempts = 3;
constexpr auto patience = std::chrono::milliseconds(1500);

} // namespace

sim_client::sim_client(caf::actor_system& sys, sim_net& net,
                       sim_cluster& cluster, history& log, uint32_t number)
  : net_(net), cluster_(cluster), log_(log), number_(number) {
  actor_ = sys.spawn([this](caf::event_based_actor* self) -> caf::behavior {
    self_ = self;
    return {[this](go_atom) {
              next();
            },
            [this](const std::string& key, host node) {
              get(key, node, level_);
            },
            [this](caf::put_atom, const std::string& key) {
              put(key);
            }};
  });
}

sim_client::~sim_client() {
  net_.kill({caf::actor_cast<caf::strong_actor_ptr>(actor_)});
}

void sim_client::start() {
  idle_ = false;
  caf::anon_send(actor_, go_atom::value);
}

void sim_client::pause() {
  if (stopping_) {
    idle_ = true;
    return;
  }
  auto ms = std::chrono::milliseconds(net_.random()() % 8);
  self_->delayed_send(self_, ms, go_atom::value);
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

void sim_client::next() {
  if (stopping_) {
    idle_ = true;
    return;
  }
  if (!any_node()) {
    pause();
    return;
  }
  auto key = "k" + std::to_string(net_.random()() % keys);
  if (net_.chance(50))
    put(key);
  else {
    auto node = pick_node();
    auto together = net_.chance(20) ? 3 : 1;
    for (int i = 0; i < together; ++i)
      get(key, node, core::consistency_level::quorum);
  }
}

void sim_client::get_done() {
  if (--reading_ == 0)
    pause();
}

void sim_client::put(const std::string& key) {
  put_event event;
  event.key = key;
  event.value = "c" + std::to_string(number_) + "-" + std::to_string(++writes_);
  event.tombstone = net_.chance(5);
  event.invoked_us = net_.now_us();
  wire::PutRequest request;
  request.set_keyspace("default");
  request.set_key(key);
  request.set_value(event.value);
  request.set_tombstone(event.tombstone);
  request.set_level(static_cast<uint32_t>(core::consistency_level::quorum));
  request.set_request_high(number_ + 1);
  request.set_request_low(writes_);
  if (net_.chance(70)) {
    event.replaces = known_[key].values;
    request.set_context(known_[key].context);
  }
  send_put(log_.add(std::move(event)), std::move(request), 1);
}

void sim_client::send_put(size_t event, wire::PutRequest request,
                          uint32_t attempt) {
  auto node = pick_node();
  net_.note("client " + std::to_string(number_) + " puts "
            + log_.put(event).value + " to " + log_.put(event).key + " through "
            + std::to_string(node));
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
  net_.note("client " + std::to_string(number_) + " put of " + put.value + ": "
            + to_string(code));
  if (code == errc::none) {
    put.result = outcome::acknowledged;
    put.answered_us = net_.now_us();
    put.by_homes = reply.homes();
    auto& mine = known_[put.key];
    mine.context = reply.context();
    mine.values = put.replaces;
    if (!put.tombstone)
      mine.values.insert(event);
    pause();
    return;
  }
  // Only the first attempt can say that nothing was written at all.
  auto may_have
    = reply.maybe_written() || attempt > 1 || code == errc::storage_failed;
  if (may_have && attempt < attempts && any_node() && !stopping_) {
    put.repeated = true;
    send_put(event, request, attempt + 1);
    return;
  }
  if (!may_have)
    put.result = outcome::refused;
  pause();
}

void sim_client::get(const std::string& key, host node,
                     core::consistency_level level) {
  wire::GetRequest request;
  request.set_keyspace("default");
  request.set_key(key);
  request.set_level(static_cast<uint32_t>(level));
  get_event event;
  event.key = key;
  event.invoked_us = net_.now_us();
  last_read_ok_ = false;
  ++reading_;
  self_
    ->request(cluster_.gateway(first_client + number_, node), patience,
              std::move(request))
    .then(
      [this, event](const wire::GetReply& reply) mutable {
        if (reply.code() == 0) {
          last_read_ok_ = true;
          event.answered_us = net_.now_us();
          event.values.assign(reply.values().begin(), reply.values().end());
          auto& mine = known_[event.key];
          mine.context = reply.context();
          mine.values.clear();
          std::string text;
          for (const auto& value : event.values) {
            text += " " + value;
            if (auto i = log_.find(value); i < log_.puts().size())
              mine.values.insert(i);
          }
          net_.note("client " + std::to_string(number_) + " gets " + event.key
                    + ":" + text);
          log_.add(std::move(event));
        }
        get_done();
      },
      [this](const caf::error&) {
        get_done();
      });
}

void sim_client::write(const std::string& key) {
  idle_ = false;
  caf::anon_send(actor_, caf::put_atom::value, key);
}

void sim_client::read(const std::string& key, host node,
                      core::consistency_level level) {
  idle_ = false;
  level_ = level;
  caf::anon_send(actor_, key, node);
}

} // namespace covey::simulation
