// Does operations on a cluster, through one client of the client library.

#pragma once

#include "bench/workload.hpp"
#include "client/client.hpp"
#include "messages/errors.hpp"

#include <atomic>
#include <functional>
#include <string>

namespace covey::bench {

struct value_settings {
  /// Bytes.
  size_t size = 100;
  /// Values of one repeated letter instead of random bytes.
  bool compressible = false;
  uint64_t seed = 1;
};

/// Makes values, of which none but empty ones equals the one before.
/// Thread-safe.
class value_source {
public:
  explicit value_source(const value_settings& settings);
  std::string next();

private:
  size_t size_;
  /// Values are pieces of it.
  std::string bytes_;
  std::atomic<uint64_t> made_{0};
};

struct answer {
  errc code = errc::none;
  /// Reads: whether there was no value, or more than one.
  bool not_found = false;
  bool siblings = false;
};

/// Thread-safe.
class executor {
public:
  executor(client::settings nodes, client::request_options how,
           const value_settings& values);

  /// Calls `done` once, on a thread of the client: it must not block. A
  /// read_modify_write is a get, and a put with the context that the get
  /// returned. A scan reads pages until it has its number of keys.
  void run(const operation& what, std::function<void(const answer&)> done);

private:
  using callback = std::function<void(const answer&)>;

  void read(const operation& what, callback done);
  void write(const operation& what, callback done);
  void read_modify_write(const operation& what, callback done);
  void scan(client::scan_cursor from, uint32_t wanted, callback done);

  client::request_options how_;
  value_source values_;
  uint32_t bytes_per_key_;
  client::client kv_;
};

} // namespace covey::bench
