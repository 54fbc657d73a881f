#include "tests/simulation/sim_net.hpp"

#include "core/check.hpp"
#include "tests/simulation/duplicates.hpp"

#include <caf/actor_registry.hpp>
#include <caf/all.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>

#include <algorithm>
#include <cstdio>

namespace covey::simulation {

namespace {

/// Many times what any seed needs within one millisecond.
constexpr uint64_t most_steps_at_once = 1'000'000;

} // namespace

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

void sim_net::note_packet(const char* what, host from, host to, size_t bytes) {
  mix(static_cast<uint64_t>(what[0]));
  mix((uint64_t{from} << 32) + to);
  mix(bytes);
  mix(now_us());
  if (trace_)
    std::printf("%9.3f ms  %u->%u %zu B%s\n",
                static_cast<double>(now_us()) / 1000, from, to, bytes, what);
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
  if (cuts_.count({from, to}) != 0) {
    note_packet(" cut off", from, to, 0);
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
  auto twice = to < first_client && from < first_client
               && chance(weather_.duplicates) && may_come_twice(content);
  auto copies = twice ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    if (chance(weather_.loss)) {
      note_packet(" lost", from, to, p.bytes.size());
      continue;
    }
    auto longest = chance(weather_.delayed)
                     ? static_cast<uint64_t>(weather_.long_delay.count()) * 1000
                     : 1000;
    time_point due
      = now() + std::chrono::microseconds(100 + random_() % longest);
    if (auto lag = lags_.find({from, to}); lag != lags_.end())
      due += lag->second;
    wire_.emplace(due, p);
  }
}

void sim_net::deliver(packet p) {
  if (is_down(p.to) || p.life != lives_[p.to])
    return;
  note_packet("", p.from, p.to, p.bytes.size());
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
  frozen_.erase(h);
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

caf::resumable* sim_net::job_of(const caf::strong_actor_ptr& actor) {
  return dynamic_cast<caf::resumable*>(
    caf::actor_cast<caf::abstract_actor*>(actor));
}

void sim_net::place(const caf::strong_actor_ptr& actor, host h) {
  runners_[job_of(actor)] = {h, std::chrono::milliseconds(0), now()};
}

void sim_net::freeze(host h, std::chrono::milliseconds how_long) {
  note("freeze " + std::to_string(h) + " for "
       + std::to_string(how_long.count()) + " ms");
  frozen_[h] = now() + how_long;
}

void sim_net::thaw() {
  frozen_.clear();
  for (auto& entry : runners_)
    entry.second.busy_until = now();
}

void sim_net::slow_down(const caf::strong_actor_ptr& actor,
                        std::chrono::milliseconds longest) {
  runners_[job_of(actor)].slowness = longest;
}

void sim_net::stall(const caf::strong_actor_ptr& actor,
                    std::chrono::milliseconds how_long) {
  runners_[job_of(actor)].busy_until = now() + how_long;
}

sim_net::time_point sim_net::ready_at(caf::resumable* job) const {
  auto i = runners_.find(job);
  if (i == runners_.end())
    return now();
  auto frozen = frozen_.find(i->second.home);
  return frozen == frozen_.end()
           ? i->second.busy_until
           : std::max(i->second.busy_until, frozen->second);
}

std::vector<size_t> sim_net::runnable(time_point& next) const {
  std::vector<size_t> result;
  for (size_t i = 0; i < sched_.jobs.size(); ++i) {
    auto at = ready_at(sched_.jobs[i]);
    if (at <= now())
      result.push_back(i);
    else
      next = std::min(next, at);
  }
  return result;
}

void sim_net::run_job(size_t i) {
  auto at = sched_.jobs.begin() + static_cast<ptrdiff_t>(i);
  if (auto slow = runners_.find(*at);
      slow != runners_.end() && slow->second.slowness.count() > 0) {
    auto longest = static_cast<uint64_t>(slow->second.slowness.count());
    slow->second.busy_until
      = now() + std::chrono::milliseconds(random_() % (longest + 1));
  }
  std::rotate(sched_.jobs.begin(), at, at + 1);
  sched_.run_once();
}

void sim_net::advance_to(time_point t) {
  steps_now_ = 0;
  // Whole milliseconds, so that several things are due at once, and any of
  // them may come first.
  auto wait = std::chrono::ceil<std::chrono::milliseconds>(t - start_)
              - (now() - start_);
  sched_.advance_time(std::max<caf::timespan>(wait, caf::timespan{1}));
}

bool sim_net::step() {
  return step_before(time_point::max());
}

std::optional<size_t> sim_net::draw(bool due, time_point& next) {
  auto n = sched_.jobs.size() + (due ? 1 : 0);
  if (n == 0)
    return std::nullopt;
  auto k = random_() % n;
  if (k == sched_.jobs.size() || ready_at(sched_.jobs[k]) <= now())
    return k;
  // Most jobs may run: all are looked at only if the first one drawn may not.
  auto choice = runnable(next);
  if (due)
    choice.push_back(sched_.jobs.size());
  if (choice.empty())
    return std::nullopt;
  return choice[random_() % choice.size()];
}

bool sim_net::step_before(time_point end) {
  auto due = !wire_.empty() && wire_.begin()->first <= now();
  auto next = end;
  if (auto k = draw(due, next)) {
    ++steps_;
    COVEY_CHECK(++steps_now_ < most_steps_at_once);
    mix(*k);
    if (*k == sched_.jobs.size()) {
      auto p = std::move(wire_.begin()->second);
      wire_.erase(wire_.begin());
      deliver(std::move(p));
    } else {
      run_job(*k);
    }
    return true;
  }
  if (!wire_.empty())
    next = std::min(next, wire_.begin()->first);
  if (const auto& timers = sched_.clock().schedule(); !timers.empty())
    next = std::min(next, timers.begin()->first);
  if (next == time_point::max())
    return false;
  advance_to(next);
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
    runners_.erase(job_of(ptr));
    caf::anon_send_exit(actor, caf::exit_reason::kill);
    // Exit messages overtake all others: one step ends the actor.
    while (sched_.prioritize(actor))
      sched_.run_once();
  }
}

} // namespace covey::simulation
