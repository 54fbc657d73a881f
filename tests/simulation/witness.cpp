#include "tests/simulation/witness.hpp"

#include <algorithm>

namespace covey::simulation {

namespace {

using storage::status;

class observed_session final : public storage::session {
public:
  observed_session(std::unique_ptr<storage::session> inner,
                   std::unique_ptr<storage::session> reader,
                   const row_observer& observer)
    : inner_(std::move(inner)), reader_(std::move(reader)),
      observer_(observer) {}

  status begin() override {
    written_.clear();
    return inner_->begin();
  }
  status commit() override {
    return inner_->commit();
  }
  void rollback() override {
    inner_->rollback();
  }
  status get(storage::table_id table, std::string_view key,
             std::string_view& value) override {
    return inner_->get(table, key, value);
  }
  status put(storage::table_id table, std::string_view key,
             std::string_view value) override {
    observe(table, key, value);
    return inner_->put(table, key, value);
  }
  status remove(storage::table_id table, std::string_view key) override {
    observe(table, key, {});
    return inner_->remove(table, key);
  }
  status
  scan(storage::table_id table, std::string_view from, std::string_view to,
       const std::function<bool(std::string_view, std::string_view)>& visit)
    override {
    return inner_->scan(table, from, to, visit);
  }

private:
  void observe(storage::table_id table, std::string_view key,
               std::string_view after) {
    if (table == storage::system_table)
      return;
    auto [row, first] = written_.try_emplace({table, std::string{key}});
    if (first)
      row->second = committed(table, key);
    observer_(table, key, row->second, after);
    row->second.assign(after);
  }
  /// By a scan: the faults of an engine strike the gets of its node, and a row
  /// that the witness takes for absent would look new.
  std::string committed(storage::table_id table, std::string_view key) {
    std::string row;
    auto visit = [&](std::string_view, std::string_view value) {
      row.assign(value);
      return false;
    };
    reader_->scan(table, key, std::string{key} + '\0', visit);
    return row;
  }

  std::unique_ptr<storage::session> inner_;
  /// Sees what is committed, and disturbs no transaction.
  std::unique_ptr<storage::session> reader_;
  /// Rows of record tables that this transaction has written.
  std::map<std::pair<storage::table_id, std::string>, std::string> written_;
  const row_observer& observer_;
};

} // namespace

std::unique_ptr<storage::session> observed_engine::open_session() {
  return std::make_unique<observed_session>(inner_.open_session(),
                                            inner_.open_session(), observer_);
}

void witness::stored(uint64_t now_us, core::incarnation own,
                     std::string_view key, const core::record& before,
                     const core::record& after) {
  auto complain = [&](const std::string& what) {
    violations_.insert("record of " + std::string{key} + " at "
                       + std::to_string(now_us / 1000) + " ms " + what);
  };
  // Only tombstones may go with their record.
  for (const auto& s : before.siblings)
    if (!after.seen.covers(s.id) && !(after.empty() && s.tombstone))
      complain("loses " + std::string{s.value} + " without a trace");
  for (const auto& s : after.siblings) {
    auto [known, first] = values_.emplace(s.id, s.value);
    if (first)
      ++dots_[known->second];
    if (!s.tombstone && known->second != s.value)
      complain("gives the dot of " + known->second + " to "
               + std::string{s.value});
    auto request = requests_.emplace(s.id, s.request).first->second;
    if (s.tombstone && request != s.request)
      complain("gives the dot of " + known->second + " to a delete");
    if (s.id.inc != own || before.seen.covers(s.id))
      continue;
    auto i = log_.find(std::string{s.value});
    if (i < log_.puts().size()
        && log_.puts()[i].deadline_us + slack_us_ < now_us)
      complain("takes in " + std::string{s.value} + ", whose deadline was at "
               + std::to_string(log_.puts()[i].deadline_us / 1000) + " ms");
    auto remembered = [&](const core::executed_request& e) {
      return e.request == s.request;
    };
    if (s.request
        && std::any_of(before.executed.begin(), before.executed.end(),
                       remembered))
      complain("gives " + std::string{s.value} + " a second dot");
  }
}

bool witness::repeated(const std::string& value) const {
  auto dots = dots_.find(value);
  return dots != dots_.end() && dots->second > 1;
}

} // namespace covey::simulation
