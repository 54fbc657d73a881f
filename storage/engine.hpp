// The ordered byte store of a node, behind one interface.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace covey::storage {

/// Why a call did not do what it was asked. DO NOT REORDER.
enum class status : uint8_t {
  ok = 0,
  /// No such key. Not a failure.
  not_found = 1,
  /// The disk is too full to accept writes; reads go on. Nothing was changed.
  disk_full = 2,
  /// The disk failed this call, or a page is damaged. The transaction must be
  /// rolled back; the caller refuses the request and does not retry.
  failed = 3,
};

const char* to_string(status x);

/// Tables of an engine: 0 to shards-1 hold records, `system_table` the rest.
using table_id = uint32_t;
inline constexpr table_id system_table = 0xffffffff;

/// Named numbers for people and dashboards, in a stable order.
using statistics = std::vector<std::pair<std::string, uint64_t>>;

/// One user of the engine: used by one actor at a time, never shared.
/// A session outlives no engine. Keys are not empty. A transaction in which a
/// call failed must be rolled back: its commit does so, and returns the
/// failure.
class session {
public:
  virtual ~session() = default;

  virtual status begin() = 0;
  /// Makes the transaction visible to all; on disk only after a later
  /// `engine::flush`. On failure nothing of it is visible and it is over.
  virtual status commit() = 0;
  virtual void rollback() = 0;

  /// Reads the value of `key`. `value` is valid until the next call of any
  /// function of this session. Inside a transaction it sees its own writes.
  virtual status get(table_id table, std::string_view key,
                     std::string_view& value)
    = 0;
  /// Writes `value`, over an old one if there is one. Only in a transaction.
  /// Rows of the system table are taken also when the disk is nearly full.
  virtual status put(table_id table, std::string_view key,
                     std::string_view value)
    = 0;
  /// Removes `key`; ok if it was not there. Only in a transaction.
  virtual status remove(table_id table, std::string_view key) = 0;

  /// Visits rows with `from <= key < to` in order (empty `to`: to the end)
  /// until `visit` returns false. The views die when `visit` returns. Not in a
  /// transaction; the session must not be used from within `visit`. Visit at
  /// most some thousand rows in one call: a scan pins what it has read.
  virtual status
  scan(table_id table, std::string_view from, std::string_view to,
       const std::function<bool(std::string_view key, std::string_view value)>&
         visit)
    = 0;
};

/// The store of one node. Sessions may be used from different threads, each
/// from one at a time; `flush` may run beside them.
class engine {
public:
  virtual ~engine() = default;

  virtual std::unique_ptr<session> open_session() = 0;

  /// Returns after everything committed before the call, by any session, is in
  /// the log; true if it is on disk too, which is always so unless fsync is
  /// switched off. A failure ends the process: what is on disk is unknown then.
  virtual bool flush() = 0;

  /// Number of record tables, fixed at creation.
  virtual uint32_t shards() const = 0;

  /// True when free space is below the configured floor: writes are to be
  /// refused. Cheap enough for once a second, not for every request.
  virtual bool disk_is_full() = 0;

  /// Writes a checkpoint, so that a restart has little to recover.
  virtual void checkpoint() = 0;

  virtual statistics read_statistics() = 0;
};

} // namespace covey::storage
