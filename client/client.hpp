// The client library: puts, gets and scans against any node of a cluster.

#pragma once

#include "client/address.hpp"
#include "core/epoch.hpp"
#include "core/request_id.hpp"
#include "messages/client.pb.h"
#include "messages/network/tls_files.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace covey {

// Defined in messages/errors.hpp.
enum class errc : uint8_t;

} // namespace covey

namespace covey::client {

struct settings {
  /// Where to begin, in this order, round and round. With none the constructor
  /// throws std::invalid_argument.
  std::vector<node_address> nodes;
  /// Learn the members and send each request to a home of its key. Otherwise
  /// only to `nodes`, one at a time.
  bool by_slot = true;
  /// Homes in this data centre are asked first.
  std::string data_centre;
  /// Program and version, for the nodes' logs.
  std::string agent = "covey";
  /// How often a request is repeated, with the same request id, after an error
  /// that makes this safe.
  uint32_t retries = 2;
  /// A get that its node has not answered after this long, and after as long as
  /// it nearly always takes, is sent to a second home too. The first answer
  /// counts. Such copies are `retries`, and share their budget. 0: never.
  std::chrono::milliseconds hedge_after{50};
  /// While a node answers `overloaded`, or late, answer what it would not
  /// answer in time with `overloaded` without sending it.
  bool hold_back = true;
  /// None: plain connections, which a node without TLS takes. Files that do not
  /// pass network::check make every request fail with `unavailable`.
  network::tls_files tls;
};

/// Merges siblings, two or more, into one value. Called by the thread that
/// waits for the get; for asynchronous gets on the client's thread, as a
/// callback.
using resolver = std::function<std::string(std::vector<std::string>&&)>;

struct request_options {
  std::string keyspace = "default";
  core::consistency level;
  /// Writes only: whether fallbacks may be counted, that keep the write for a
  /// home which cannot take it. The result says whether homes alone met it.
  core::quorum_kind quorum = core::quorum_kind::keyspace_default;
  /// At most a day.
  std::chrono::milliseconds timeout{5000};
  /// Writes only: what the last get of the key returned.
  std::string context;
  /// Writes only; zero means the keyspace's default, less than that that the
  /// value has expired already.
  std::chrono::milliseconds time_to_live{0};
  /// Writes only: of the earlier attempt, if this one repeats it. None given: a
  /// new one.
  core::request_id request;
  /// Gets only: siblings arrive as the one value that this makes of them. A put
  /// with the get's context then stores it in their place.
  resolver resolve;
};

struct result {
  errc code{};
  /// One line about the error.
  std::string text;
  /// On an error: whether the write may have happened.
  bool maybe_written = false;
  /// Nodes counted that acknowledged a write, or homes that answered a read,
  /// and how many were asked for.
  uint32_t acked = 0;
  uint32_t needed = 0;
  /// Writes: true if homes alone met the level.
  bool homes = false;
  /// Gets: none if not found, several are siblings.
  std::vector<std::string> values;
  std::string context;

  bool ok() const {
    return code == errc{};
  }
};

/// One of the writes of a multi-put.
struct write {
  std::string key;
  std::string value;
  /// What the last get of the key returned.
  std::string context;
  /// A delete: `value` is ignored.
  bool remove = false;
};

/// Where a scan goes on: in this slot, after this key. Stays good when members
/// join or leave.
struct scan_cursor {
  uint32_t slot = 0;
  std::string after_key;

  bool at_end() const;
};

inline bool operator==(const scan_cursor& x, const scan_cursor& y) {
  return x.slot == y.slot && x.after_key == y.after_key;
}

struct scan_options {
  /// Keyspace, level and timeout, of each page.
  request_options request;
  /// Only keys that begin with it.
  std::string prefix;
  /// Roughly, of keys and values in a page; the node has a limit of its own.
  uint32_t page_bytes = 256 << 10;
  /// Not beyond this slot. With hash tags `core::slot_of` of the tag
  /// tells where all keys of that tag lie.
  std::optional<uint16_t> slot;
};

struct scan_entry {
  std::string key;
  /// Several are siblings.
  std::vector<std::string> values;
};

struct scan_page {
  errc code{};
  std::string text;
  std::vector<scan_entry> entries;
  /// Where the next page begins; on an error where this one did.
  scan_cursor next;

  bool ok() const {
    return code == errc{};
  }
};

/// Called once, on the client's own thread: must neither block, nor throw,
/// which ends the process, nor destroy the client.
using callback = std::function<void(result&&)>;
using many_callback = std::function<void(std::vector<result>&&)>;

/// What a key's values, none or one or siblings, are to become.
using change = std::function<std::string(std::vector<std::string>&&)>;

/// Every request is answered, latest some 20 ms after its deadline.
/// Thread-safe. The destructor answers what is in flight with `shutting_down`;
/// callbacks are to start nothing then: it would not be answered.
class client {
public:
  /// Throws std::invalid_argument without nodes, and std::runtime_error if the
  /// process has 250 clients already: CAF cannot tell more apart.
  explicit client(settings config);
  ~client();
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  result put(std::string key, std::string value,
             const request_options& options);
  result remove(std::string key, const request_options& options);
  result get(std::string key, const request_options& options);

  void put(std::string key, std::string value, const request_options& options,
           callback done);
  void remove(std::string key, const request_options& options, callback done);
  void get(std::string key, const request_options& options, callback done);

  /// One result for each key, in the order of the keys. Not a transaction:
  /// each key succeeds or fails by itself.
  std::vector<result> multi_get(std::vector<std::string> keys,
                                const request_options& options);
  void multi_get(std::vector<std::string> keys, const request_options& options,
                 many_callback done);
  /// Likewise; `context` and `request` of the options are not used.
  std::vector<result> multi_put(std::vector<write> writes,
                                const request_options& options);
  void multi_put(std::vector<write> writes, const request_options& options,
                 many_callback done);

  /// Reads the key and puts what `f` makes of its values in their place, within
  /// one timeout. Of two at the same time both stay, as siblings that the next
  /// update gets. The result is that of the put, or of the get if it failed.
  result update(const std::string& key, const change& f,
                const request_options& options);

  /// A page from `from` on. client/scanner.hpp goes through all of them.
  scan_page scan(const scan_cursor& from, const scan_options& options);
  void scan(const scan_cursor& from, const scan_options& options,
            std::function<void(scan_page&&)> done);

  /// Of the node that answers; errors are in the reply.
  wire::StatusReply status(const request_options& options);
  wire::RingReply ring(std::string key, const request_options& options);
  /// Adds or alters a keyspace. Sent once: whether it was made is unknown after
  /// `timed_out` and `connection_lost`.
  wire::KeyspaceReply change_keyspace(wire::KeyspaceRequest request,
                                      const request_options& options);
  /// Starts a repair, or asks how far it is (messages/client.proto).
  wire::RepairReply repair(const wire::RepairRequest& request,
                           const request_options& options);

  /// 128 random bits.
  core::request_id new_request_id();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace covey::client
