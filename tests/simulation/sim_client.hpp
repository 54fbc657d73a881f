// A client of the simulated cluster: one request after the other.

#pragma once

#include "tests/simulation/history.hpp"
#include "tests/simulation/sim_cluster.hpp"

#include <caf/actor.hpp>
#include <caf/event_based_actor.hpp>

#include <functional>
#include <map>
#include <set>
#include <string>

namespace covey::simulation {

struct workload {
  /// Pause between two requests, at most.
  std::chrono::milliseconds think{8};
  /// Requests at another level than QUORUM, and writes that expire.
  uint32_t other_levels_percent = 25;
  uint32_t ttl_percent = 5;
  /// Puts that homes alone must take.
  uint32_t strict_percent = 20;
  /// Called when a put is acknowledged, and when a get returns values.
  std::function<void()> answered;
};

/// A key of one of the two keyspaces.
struct key_name {
  std::string keyspace;
  std::string key;

  /// As histories have it.
  std::string full() const {
    return keyspace + "/" + key;
  }
  bool lww() const {
    return keyspace == lww_keyspace;
  }
};

/// Puts, gets, deletes and scans a few keys at random, with the context of its
/// last get or put of the key or with none. Clients of even number repeat puts
/// whose outcome they do not know under the same request id at another node;
/// with the others a put has one deadline, and stays of unknown outcome.
class sim_client {
public:
  sim_client(caf::actor_system& sys, sim_net& net, sim_cluster& cluster,
             history& log, uint32_t number, workload load);
  ~sim_client();

  /// Every key that clients use.
  static std::vector<key_name> keys();

  /// Issues requests until told to stop.
  void start();
  void stop() {
    stopping_ = true;
  }
  bool idle() const {
    return idle_;
  }
  /// Reads a key through `node` and notes it in the history, as one that must
  /// see what a read at ALL must see.
  void read(const key_name& key, host node, core::consistency_level level);
  /// Puts or deletes a key once.
  void write(const key_name& key);
  bool last_read_ok() const {
    return last_read_ok_;
  }

private:
  struct known {
    std::string context;
    std::set<size_t> values;
  };
  struct scan_state {
    host node = 0;
    std::string keyspace;
    uint32_t slot = 0;
    std::string after;
    size_t access = 0;
    core::consistency level;
    uint64_t invoked_us = 0;
    std::map<std::string, std::vector<std::string>> rows;
  };

  void next();
  void put(const key_name& key);
  void send_put(size_t event, wire::PutRequest request, uint32_t attempt);
  void put_done(size_t event, const wire::PutRequest& request,
                const wire::PutReply& reply, uint32_t attempt);
  void get(const key_name& key, host node, core::consistency level,
           core::consistency counts_as);
  void got(const key_name& key, get_event event, const wire::GetReply& reply);
  void scan(scan_state s);
  void scanned(scan_state s, const wire::ScanReply& reply);
  void finish_scan(const scan_state& s);
  void pause();
  void get_done();
  void note(const std::string& what);
  bool repeats() const {
    return number_ % 2 == 0;
  }
  bool any_node() const;
  host pick_node();
  core::consistency pick_level();
  size_t access_of(const core::consistency& level, host node) const;
  /// On the clock of `node`.
  uint64_t deadline_at(host node) const;
  uint64_t stamp_of(const key_name& key, const std::string& token) const;

  sim_net& net_;
  sim_cluster& cluster_;
  history& log_;
  uint32_t number_;
  workload load_;
  uint32_t writes_ = 0;
  /// Gets under way: several at once may share their reads.
  uint32_t reading_ = 0;
  std::map<std::string, known> known_;
  bool stopping_ = false;
  bool idle_ = true;
  bool last_read_ok_ = false;
  core::consistency_level read_level_ = core::consistency_level::all;
  caf::actor actor_;
  caf::event_based_actor* self_ = nullptr;
};

} // namespace covey::simulation
