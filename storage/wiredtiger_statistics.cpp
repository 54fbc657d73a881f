#include "storage/wiredtiger_statistics.hpp"

namespace covey::storage {

namespace {

struct named_statistic {
  const char* name;
  int key;
};

constexpr named_statistic exported[] = {
  {"cache_bytes", WT_STAT_CONN_CACHE_BYTES_INUSE},
  {"cache_dirty_bytes", WT_STAT_CONN_CACHE_BYTES_DIRTY},
  {"cache_max_bytes", WT_STAT_CONN_CACHE_BYTES_MAX},
  {"cache_overflow_entries", WT_STAT_CONN_CACHE_LOOKASIDE_ENTRIES},
  {"pages_evicted_by_sessions", WT_STAT_CONN_CACHE_EVICTION_APP},
  {"pages_read_by_sessions", WT_STAT_CONN_CACHE_READ_APP_COUNT},
  {"pages_read_by_sessions_us", WT_STAT_CONN_CACHE_READ_APP_TIME},
  {"pages_written_by_sessions", WT_STAT_CONN_CACHE_WRITE_APP_COUNT},
  {"pages_written_by_sessions_us", WT_STAT_CONN_CACHE_WRITE_APP_TIME},
  {"waiting_for_cache_us", WT_STAT_CONN_APPLICATION_CACHE_TIME},
  {"evicting_us", WT_STAT_CONN_APPLICATION_EVICT_TIME},
  {"eviction_goals_missed", WT_STAT_CONN_CACHE_EVICTION_SLOW},
  {"log_syncs", WT_STAT_CONN_LOG_SYNC},
  {"log_sync_us", WT_STAT_CONN_LOG_SYNC_DURATION},
  {"log_written_bytes", WT_STAT_CONN_LOG_BYTES_WRITTEN},
  {"last_checkpoint_ms", WT_STAT_CONN_TXN_CHECKPOINT_TIME_RECENT},
  {"longest_checkpoint_ms", WT_STAT_CONN_TXN_CHECKPOINT_TIME_MAX},
  {"disk_read_bytes", WT_STAT_CONN_BLOCK_BYTE_READ},
  {"disk_written_bytes", WT_STAT_CONN_BLOCK_BYTE_WRITE},
  {"sessions", WT_STAT_CONN_SESSION_OPEN},
  {"commits", WT_STAT_CONN_TXN_COMMIT},
  {"rollbacks", WT_STAT_CONN_TXN_ROLLBACK},
  {"pinned_range", WT_STAT_CONN_TXN_PINNED_RANGE},
};

} // namespace

statistics read_wiredtiger_statistics(WT_SESSION* session) {
  statistics result;
  WT_CURSOR* cursor = nullptr;
  if (session->open_cursor(session, "statistics:", nullptr, "statistics=(fast)",
                           &cursor)
      != 0)
    return result;
  for (const auto& x : exported) {
    const char* description = nullptr;
    const char* text = nullptr;
    int64_t value = 0;
    cursor->set_key(cursor, x.key);
    if (cursor->search(cursor) == 0
        && cursor->get_value(cursor, &description, &text, &value) == 0)
      result.emplace_back(x.name, static_cast<uint64_t>(value));
  }
  cursor->close(cursor);
  return result;
}

} // namespace covey::storage
