#include "tests/simulation/sim_net.hpp"

#include <caf/actor_registry.hpp>
#include <caf/all.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>

#include <algorithm>
#include <cstdio>

namespace covey::simulation {

/// A handle whose enqueue goes over the simulated wire.
class sim_net::proxy_actor : public caf::monitorable_actor {
public:
  proxy_actor(caf::actor_config& cfg, sim_net* net, host from, host to,
              uint64_t life, caf::strong_actor_ptr target)
    : caf::monitorable_actor(cfg), net_(net), from_(from), to_(to), life_(life),
      target_(std::move(target)) {}

  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit*) override {
    net_->send(from_, to_, life_, target_, std::move(what));
  }
  const char* name() const override {
    return "sim-proxy";
  }
  void lose() {
    cleanup(caf::make_error(caf::exit_reason::remote_link_unreachable),
            nullptr);
  }
  host from() const {
    return from_;
  }
  host to() const {
    return to_;
  }

private:
  sim_net* net_;
  host from_;
  host to_;
  uint64_t life_;
  caf::strong_actor_ptr target_;
};

sim_net::sim_net(caf::actor_system& sys, uint64_t seed)
  : sys_(sys),
    sched_(dynamic_cast<caf::scheduler::test_coordinator&>(sys.scheduler())),
    random_(seed) {
  // Not at zero, which CAF reads as "no time-out".
  sched_.clock().current_time += std::chrono::hours(1);
  start_ = sched_.clock().now();
}

sim_net::~sim_net() {
  wire_.clear();
  proxies_.clear();
}

sim_net::time_point sim_net::now() const {
  return sched_.clock().now();
}

uint64_t sim_net::now_us() const {
  return static_cast<uint64_t>(
    std::chrono::duration_cast<std::chrono::microseconds>(now() - start_)
      .count());
}

void sim_net::note(const std::string& what) {
  for (auto c : what)
    mix(static_cast<uint64_t>(c));
  mix(now_us());
  if (trace_)
    std::printf("%9.3f ms  %s\n", static_cast<double>(now_us()) / 1000,
                what.c_str());
}

caf::strong_actor_ptr sim_net::proxy_ptr(host from, host to,
                                         caf::strong_actor_ptr target) {
  auto& found = proxies_[{from, to, target->id()}];
  if (!found) {
    caf::actor_config cfg;
    found = caf::make_actor<proxy_actor, caf::strong_actor_ptr>(
      sys_.next_actor_id(), sys_.node(), &sys_, cfg, this, from, to, lives_[to],
      std::move(target));
    proxy_ids_.insert(found->id());
  }
  return found;
}

void sim_net::send(host from, host to, uint64_t life,
                   const caf::strong_actor_ptr& target,
                   caf::mailbox_element_ptr what) {
  if (is_down(from) || is_down(to) || life != lives_[to])
    return;
  auto way = std::to_string(from) + "->" + std::to_string(to);
  if (cuts_.count({from, to}) != 0) {
    note("cut " + way);
    return;
  }
  packet p;
  p.from = from;
  p.to = to;
  p.life = life;
  p.target = target;
  p.sender = what->sender;
  p.id = what->mid;
  caf::binary_serializer sink{sys_, p.bytes};
  auto content = what->move_content_to_message();
  if (auto err = sink(content)) {
    std::fprintf(stderr, "a message cannot travel: %s\n",
                 caf::to_string(content).c_str());
    std::abort();
  }
  // Between a client and its gateway lies one TCP connection, which repeats
  // nothing; what its own retries repeat, the client knows.
  auto copies
    = to < first_client && from < first_client && chance(weather_.duplicates)
        ? 2
        : 1;
  for (int i = 0; i < copies; ++i) {
    if (chance(weather_.loss)) {
      note("loss " + way);
      continue;
    }
    auto longest = chance(weather_.delayed)
                     ? static_cast<uint64_t>(weather_.long_delay.count()) * 1000
                     : 1000;
    auto delay = std::chrono::microseconds(100 + random_() % longest);
    wire_.emplace(now() + delay, p);
  }
}

void sim_net::deliver(packet p) {
  if (is_down(p.to) || p.life != lives_[p.to])
    return;
  note(std::to_string(p.from) + "->" + std::to_string(p.to) + " "
       + std::to_string(p.bytes.size()) + " B");
  caf::binary_deserializer source{sys_, p.bytes};
  caf::message content;
  if (auto err = source(content)) {
    std::fprintf(stderr, "a message of %zu bytes cannot be read\n",
                 p.bytes.size());
    std::abort();
  }
  // Replies must cross the wire as well.
  if (p.sender && proxy_ids_.count(p.sender->id()) == 0)
    p.sender = proxy_ptr(p.to, p.from, std::move(p.sender));
  p.target->enqueue(std::move(p.sender), p.id, std::move(content), nullptr);
}

void sim_net::crash(host h) {
  note("crash " + std::to_string(h));
  down_.insert(h);
  ++lives_[h];
  std::vector<caf::strong_actor_ptr> gone;
  for (auto i = proxies_.begin(); i != proxies_.end();) {
    auto* p = static_cast<proxy_actor*>(i->second->get());
    if (p->to() == h)
      gone.push_back(i->second);
    if (p->to() == h || p->from() == h)
      i = proxies_.erase(i);
    else
      ++i;
  }
  for (auto& ptr : gone)
    static_cast<proxy_actor*>(ptr->get())->lose();
}

void sim_net::restart(host h) {
  note("restart " + std::to_string(h));
  down_.erase(h);
}

void sim_net::advance() {
  sched_.advance_time(std::chrono::milliseconds(1));
}

void sim_net::slow_down(const caf::strong_actor_ptr& actor,
                        std::chrono::milliseconds longest) {
  auto* job = dynamic_cast<caf::resumable*>(
    caf::actor_cast<caf::abstract_actor*>(actor));
  slow_[job] = {now(), longest};
}

std::vector<size_t> sim_net::runnable() const {
  std::vector<size_t> result;
  for (size_t i = 0; i < sched_.jobs.size(); ++i) {
    auto slow = slow_.find(sched_.jobs[i]);
    if (slow == slow_.end() || slow->second.busy_until <= now())
      result.push_back(i);
  }
  return result;
}

void sim_net::run_job(size_t i) {
  auto at = sched_.jobs.begin() + static_cast<ptrdiff_t>(i);
  if (auto slow = slow_.find(*at); slow != slow_.end()) {
    auto longest = static_cast<uint64_t>(slow->second.longest.count());
    slow->second.busy_until
      = now() + std::chrono::milliseconds(random_() % (longest + 1));
  }
  std::rotate(sched_.jobs.begin(), at, at + 1);
  sched_.run_once();
}

bool sim_net::step() {
  auto due = !wire_.empty() && wire_.begin()->first <= now();
  auto jobs = runnable();
  auto n = jobs.size() + (due ? 1 : 0);
  if (n > 0) {
    auto k = random_() % n;
    ++steps_;
    mix(k);
    if (k == jobs.size()) {
      auto p = std::move(wire_.begin()->second);
      wire_.erase(wire_.begin());
      deliver(std::move(p));
    } else {
      run_job(jobs[k]);
    }
    return true;
  }
  if (wire_.empty() && sched_.jobs.empty() && !sched_.has_pending_timeout())
    return false;
  advance();
  return true;
}

void sim_net::run_for(std::chrono::milliseconds d) {
  run_until(
    [] {
      return false;
    },
    d);
}

void sim_net::kill(const std::vector<caf::strong_actor_ptr>& actors) {
  for (auto& ptr : actors) {
    auto actor = caf::actor_cast<caf::actor>(ptr);
    slow_.erase(dynamic_cast<caf::resumable*>(
      caf::actor_cast<caf::abstract_actor*>(ptr)));
    caf::anon_send_exit(actor, caf::exit_reason::kill);
    // Exit messages overtake all others: one step ends the actor.
    while (sched_.prioritize(actor))
      sched_.run_once();
  }
}

} // namespace covey::simulation
