// A session of the WiredTiger engine.

#pragma once

#include "storage/wiredtiger_connection.hpp"

#include <string>
#include <vector>

namespace covey::storage {

/// Opens a cursor per table when it is first used and keeps it. No cursor stays
/// positioned between calls: a position pins old versions in the cache as an
/// open transaction does.
class wiredtiger_session final : public session {
public:
  /// Takes over `handle`; `connection` must live longer.
  wiredtiger_session(wiredtiger_connection& connection, WT_SESSION* handle,
                     uint32_t shards);
  ~wiredtiger_session() override;

  status begin() override;
  status commit() override;
  void rollback() override;
  status get(table_id table, std::string_view key,
             std::string_view& value) override;
  status put(table_id table, std::string_view key,
             std::string_view value) override;
  status remove(table_id table, std::string_view key) override;
  status
  scan(table_id table, std::string_view from, std::string_view to,
       const std::function<bool(std::string_view key, std::string_view value)>&
         visit) override;

  /// Opens the table's cursor: tells whether it can be used. Returns
  /// WiredTiger's code.
  int open_table(table_id table);

private:
  /// The table's cursor, or nullptr if it cannot be opened.
  WT_CURSOR* cursor_of(table_id table);
  /// Cursor for a write, or nullptr if the transaction failed, with the reason
  /// in outcome_.
  WT_CURSOR* begin_write(table_id table, std::string_view key);
  status end_write(WT_CURSOR* cursor, int code);

  wiredtiger_connection& connection_;
  WT_SESSION* handle_;
  /// One per shard, then the system table's; nullptr until opened.
  std::vector<WT_CURSOR*> cursors_;
  std::string buffer_;
  bool active_ = false;
  /// The first failure of the transaction: it decides what commit answers.
  status outcome_ = status::ok;
};

} // namespace covey::storage
