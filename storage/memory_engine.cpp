#include "storage/memory_engine.hpp"

#include "core/check.hpp"

#include <deque>
#include <mutex>
#include <optional>

namespace covey::storage {

namespace {

/// What a transaction writes: a value, or nothing for a removal.
using change = std::optional<std::string>;
using row_id = std::pair<table_id, std::string>;
using change_set = std::map<row_id, change>;

void write_to(std::map<table_id, memory_disk::table>& tables,
              const change_set& changes) {
  for (const auto& [row, value] : changes) {
    auto& table = tables[row.first];
    if (value)
      table[row.second] = *value;
    else
      table.erase(row.second);
  }
}

/// What the engine and its sessions share. Kept alive by both, so that a
/// session destroyed late touches no freed memory.
struct shared_state {
  std::mutex mutex;
  std::shared_ptr<memory_disk> disk;
  std::map<table_id, memory_disk::table> committed;
  /// Committed and not flushed, oldest first.
  std::deque<change_set> unflushed;
  /// Rows written by an open transaction, and whose it is.
  std::map<row_id, const session*> locked;
  uint32_t failing_commits = 0;
  uint32_t failing_reads = 0;
  bool disk_full = false;
  uint64_t commits = 0;
  uint64_t flushes = 0;

  bool exists(table_id table) const {
    return table == system_table || table < disk->shards;
  }

  void flush() {
    for (const auto& changes : unflushed)
      write_to(disk->durable, changes);
    unflushed.clear();
  }
};

using guard = std::lock_guard<std::mutex>;

class memory_session final : public session {
public:
  explicit memory_session(std::shared_ptr<shared_state> state)
    : state_(std::move(state)) {}

  ~memory_session() override {
    rollback();
  }

  status begin() override {
    COVEY_CHECK(!active_);
    active_ = true;
    outcome_ = status::ok;
    return status::ok;
  }

  status commit() override {
    COVEY_CHECK(active_);
    guard lock{state_->mutex};
    if (outcome_ == status::ok && state_->failing_commits > 0) {
      --state_->failing_commits;
      outcome_ = status::failed;
    }
    if (outcome_ == status::ok && !changes_.empty()) {
      write_to(state_->committed, changes_);
      ++state_->commits;
      end_locked(true);
    } else {
      end_locked(false);
    }
    return outcome_;
  }

  void rollback() override {
    if (!active_)
      return;
    guard lock{state_->mutex};
    end_locked(false);
  }

  status get(table_id table, std::string_view key,
             std::string_view& value) override {
    COVEY_CHECK(!key.empty());
    guard lock{state_->mutex};
    COVEY_CHECK(state_->exists(table));
    if (active_) {
      auto own = changes_.find(row_id{table, std::string{key}});
      if (own != changes_.end())
        return found(own->second, value);
    }
    if (table != system_table && state_->failing_reads > 0) {
      --state_->failing_reads;
      if (active_)
        outcome_ = status::failed;
      return status::failed;
    }
    const auto& rows = state_->committed[table];
    auto row = rows.find(std::string{key});
    return found(row != rows.end() ? change{row->second} : change{}, value);
  }

  status put(table_id table, std::string_view key,
             std::string_view value) override {
    return write(table, key, change{std::string{value}});
  }

  status remove(table_id table, std::string_view key) override {
    return write(table, key, change{});
  }

  /// Reads row by row: each is as it is when the scan reaches it.
  status scan(table_id table, std::string_view from, std::string_view to,
              const std::function<bool(std::string_view, std::string_view)>&
                visit) override {
    COVEY_CHECK(!active_);
    COVEY_CHECK(state_->exists(table));
    std::string position{from};
    bool first = true;
    for (;;) {
      {
        guard lock{state_->mutex};
        const auto& rows = state_->committed[table];
        auto next
          = first ? rows.lower_bound(position) : rows.upper_bound(position);
        if (next == rows.end() || (!to.empty() && next->first >= to))
          return status::ok;
        position = next->first;
        buffer_ = next->second;
      }
      first = false;
      if (!visit(position, buffer_))
        return status::ok;
    }
  }

private:
  status found(const change& x, std::string_view& value) {
    if (!x)
      return status::not_found;
    buffer_ = *x;
    value = buffer_;
    return status::ok;
  }

  status write(table_id table, std::string_view key, change x) {
    COVEY_CHECK(active_);
    COVEY_CHECK(!key.empty());
    guard lock{state_->mutex};
    COVEY_CHECK(state_->exists(table));
    if (outcome_ != status::ok)
      return outcome_;
    if (state_->disk_full && table != system_table)
      return outcome_ = status::disk_full;
    row_id row{table, std::string{key}};
    auto owner = state_->locked.emplace(row, this).first;
    if (owner->second != this)
      return outcome_ = status::failed;
    changes_[std::move(row)] = std::move(x);
    return status::ok;
  }

  void end_locked(bool committed) {
    for (const auto& x : changes_)
      state_->locked.erase(x.first);
    if (committed)
      state_->unflushed.push_back(std::move(changes_));
    changes_.clear();
    active_ = false;
  }

  std::shared_ptr<shared_state> state_;
  change_set changes_;
  std::string buffer_;
  bool active_ = false;
  /// The first failure of the transaction: it decides what commit answers.
  status outcome_ = status::ok;
};

} // namespace

struct memory_engine::impl {
  std::shared_ptr<shared_state> state = std::make_shared<shared_state>();
};

memory_engine::memory_engine(std::shared_ptr<memory_disk> disk)
  : impl_(std::make_unique<impl>()) {
  COVEY_CHECK(disk && disk->shards > 0);
  impl_->state->committed = disk->durable;
  impl_->state->disk = std::move(disk);
}

memory_engine::~memory_engine() = default;

std::unique_ptr<session> memory_engine::open_session() {
  return std::make_unique<memory_session>(impl_->state);
}

bool memory_engine::flush() {
  guard lock{impl_->state->mutex};
  impl_->state->flush();
  ++impl_->state->flushes;
  return true;
}

uint32_t memory_engine::shards() const {
  return impl_->state->disk->shards;
}

bool memory_engine::disk_is_full() {
  guard lock{impl_->state->mutex};
  return impl_->state->disk_full;
}

void memory_engine::checkpoint() {
  guard lock{impl_->state->mutex};
  impl_->state->flush();
}

statistics memory_engine::read_statistics() {
  guard lock{impl_->state->mutex};
  uint64_t rows = 0;
  for (const auto& table : impl_->state->committed)
    rows += table.second.size();
  return {{"commits", impl_->state->commits},
          {"flushes", impl_->state->flushes},
          {"rows", rows},
          {"unflushed_commits", impl_->state->unflushed.size()}};
}

void memory_engine::fail_commits(uint32_t n) {
  guard lock{impl_->state->mutex};
  impl_->state->failing_commits = n;
}

void memory_engine::fail_reads(uint32_t n) {
  guard lock{impl_->state->mutex};
  impl_->state->failing_reads = n;
}

void memory_engine::set_disk_full(bool full) {
  guard lock{impl_->state->mutex};
  impl_->state->disk_full = full;
}

size_t memory_engine::unflushed() const {
  guard lock{impl_->state->mutex};
  return impl_->state->unflushed.size();
}

} // namespace covey::storage
