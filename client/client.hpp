// The client library: puts, gets and scans against any node of a cluster.

#pragma once

#include "client/address.hpp"
#include "core/epoch.hpp"
#include "core/request_id.hpp"
#include "messages/client.pb.h"
#include "network/tls_files.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace covey {

// Defined in messages/errors.hpp.
enum class errc : uint8_t;

} // namespace covey

namespace covey::client {

struct settings {
  /// Tried in this order, round and round; at least one.
  std::vector<node_address> nodes;
  /// Program and version, for the nodes' logs.
  std::string agent = "covey";
  /// How often a request is repeated, with the same request id, after an error
  /// that makes this safe.
  uint32_t retries = 2;
  /// None: plain connections, which a node without TLS takes. Files that do not
  /// pass network::check make every request fail with `unavailable`.
  network::tls_files tls;
};

struct request_options {
  std::string keyspace = "default";
  core::consistency level;
  std::chrono::milliseconds timeout{5000};
  /// Writes only: what the last get of the key returned.
  std::string context;
  /// Writes only; zero means the keyspace's default.
  std::chrono::milliseconds time_to_live{0};
  /// Writes only: of the earlier attempt, if this one repeats it. None given: a
  /// new one.
  core::request_id request;
};

struct result {
  errc code{};
  /// One line about the error.
  std::string text;
  /// On an error: whether the write may have happened.
  bool maybe_written = false;
  /// Homes that acknowledged a write, or answered a read, and how many were
  /// asked for.
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

/// Called once, on the client's own thread: must neither block, nor throw, nor
/// destroy the client.
using callback = std::function<void(result&&)>;

/// Every request is answered, latest at its deadline. Thread-safe. The
/// destructor answers what is in flight with `shutting_down`.
class client {
public:
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

  /// A page of at most about `max_bytes`, from `slot` and after `after_key`;
  /// the errors of these three are in the reply.
  wire::ScanReply scan(uint32_t slot, std::string after_key, uint32_t max_bytes,
                       const request_options& options);
  wire::StatusReply status(const request_options& options);
  wire::RingReply ring(std::string key, const request_options& options);

  /// 128 random bits.
  core::request_id new_request_id();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace covey::client
