// A client of the simulated cluster: one request after the other.

#pragma once

#include "tests/simulation/history.hpp"
#include "tests/simulation/sim_cluster.hpp"

#include <caf/actor.hpp>
#include <caf/event_based_actor.hpp>

#include <map>
#include <set>
#include <string>

namespace covey::simulation {

/// Puts, gets and deletes a few keys at random, with the context of its last
/// get or put of the key or with none, and repeats puts whose outcome it does
/// not know under the same request id at another node. Some gets are sent
/// several at once, so that they may share their reads.
class sim_client {
public:
  sim_client(caf::actor_system& sys, sim_net& net, sim_cluster& cluster,
             history& log, uint32_t number);
  ~sim_client();

  /// Issues requests until told to stop.
  void start();
  void stop() {
    stopping_ = true;
  }
  bool idle() const {
    return idle_;
  }
  /// Reads `key` through `node` and notes it in the history.
  void read(const std::string& key, host node, core::consistency_level level);
  /// Puts or deletes `key` once.
  void write(const std::string& key);
  bool last_read_ok() const {
    return last_read_ok_;
  }

private:
  struct known {
    std::string context;
    std::set<size_t> values;
  };

  void next();
  void put(const std::string& key);
  void send_put(size_t event, wire::PutRequest request, uint32_t attempt);
  void put_done(size_t event, const wire::PutRequest& request,
                const wire::PutReply& reply, uint32_t attempt);
  void get(const std::string& key, host node, core::consistency_level level);
  void get_done();
  void pause();
  bool any_node() const;
  host pick_node();

  sim_net& net_;
  sim_cluster& cluster_;
  history& log_;
  uint32_t number_;
  uint32_t writes_ = 0;
  std::map<std::string, known> known_;
  bool stopping_ = false;
  bool idle_ = true;
  bool last_read_ok_ = false;
  core::consistency_level level_ = core::consistency_level::all;
  /// Gets under way.
  uint32_t reading_ = 0;
  caf::actor actor_;
  caf::event_based_actor* self_ = nullptr;
};

} // namespace covey::simulation
