#include "tests/storage/crash/checker.hpp"

#include "tests/storage/crash/writer.hpp"

#include <cstdio>

namespace covey::storage::crash {

namespace {

/// Rows of a table from `from` to `to`, read in the chunks that scans ask for.
std::map<std::string, std::string> read_rows(session& from, table_id table,
                                             const std::string& begin,
                                             const std::string& end) {
  constexpr size_t chunk = 1000;
  std::map<std::string, std::string> result;
  auto position = begin;
  for (bool more = true; more;) {
    size_t seen = 0;
    auto code = from.scan(table, position, end,
                          [&](std::string_view key, std::string_view value) {
                            result.emplace(key, value);
                            position = key;
                            return ++seen < chunk;
                          });
    if (code != status::ok)
      std::fprintf(stderr, "a scan failed: %s\n", to_string(code));
    more = seen == chunk;
    // The first key after it.
    position.push_back('\0');
  }
  return result;
}

void check_shard(session& from, uint32_t shard, findings& out) {
  row_map expected;
  for (uint64_t sequence = 1; sequence <= out.last[shard]; ++sequence)
    replay(expected, shard, sequence);
  auto rows = read_rows(from, shard, "", "");
  auto prefix = mirror_row(shard, "");
  // '0' follows '/'.
  auto mirrors = read_rows(from, system_table, prefix,
                           prefix.substr(0, prefix.size() - 1) + "0");
  for (const auto& [key, sequence] : expected) {
    auto row = rows.find(key);
    if (row == rows.end() || row->second != operation_of(shard, sequence).value)
      ++out.wrong_rows;
    auto mirror = mirrors.find(prefix + key);
    if (mirror == mirrors.end() || mirror->second != std::to_string(sequence))
      ++out.wrong_mirrors;
  }
  // All expected rows were found, so more rows are rows too many.
  if (rows.size() > expected.size())
    out.wrong_rows += rows.size() - expected.size();
  if (mirrors.size() > expected.size())
    out.wrong_mirrors += mirrors.size() - expected.size();
}

} // namespace

findings check_store(const directory_options& options, bool close_cleanly) {
  findings result;
  std::string error;
  auto store = data_directory::open(options, error);
  if (!store) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return result;
  }
  result.opened = true;
  auto session = store->engine().open_session();
  for (uint32_t shard = 0; shard < shards; ++shard) {
    result.last[shard] = last_commit(*session, shard);
    check_shard(*session, shard, result);
  }
  if (close_cleanly) {
    session.reset();
    store->close();
  } else {
    static_cast<void>(session.release());
    static_cast<void>(store.release());
  }
  return result;
}

} // namespace covey::storage::crash
