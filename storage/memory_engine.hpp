// An engine in memory, for tests and simulation.

#pragma once

#include "storage/engine.hpp"

#include <map>
#include <memory>

namespace covey::storage {

/// What survives a crash of a memory_engine: shared by the engines that are
/// opened on it one after the other.
struct memory_disk {
  using table = std::map<std::string, std::string>;

  uint32_t shards = 1;
  /// What `flush` has made durable.
  std::map<table_id, table> durable;
};

/// Keeps committed rows in maps. Committed rows become durable in commit order
/// at `flush`; destruction forgets the rest, as a power loss does.
class memory_engine : public engine {
public:
  explicit memory_engine(std::shared_ptr<memory_disk> disk);
  ~memory_engine() override;

  std::unique_ptr<session> open_session() override;
  bool flush() override;
  uint32_t shards() const override;
  bool disk_is_full() override;
  void checkpoint() override;
  statistics read_statistics() override;

  /// Makes the next `n` commits fail, as an I/O error would.
  void fail_commits(uint32_t n);
  /// Makes the next `n` reads of records fail, as a damaged page would.
  void fail_reads(uint32_t n);
  void set_disk_full(bool full);
  /// Commits not flushed yet.
  size_t unflushed() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace covey::storage
