// What no record on any disk may become, seen as it is stored.

#pragma once

#include "core/record.hpp"
#include "storage/engine.hpp"
#include "tests/simulation/history.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace covey::simulation {

/// Watches every record that any node stores:
/// - a dot names one value for ever;
/// - a value stays until a write or merge that has seen its dot, also when the
///   record is removed;
/// - a dot that a delete has is not one of a value that another request wrote;
/// - a shard gives a request that its record remembers no second dot;
/// - no dot is given to a request after its deadline.
class witness {
public:
  explicit witness(const history& log) : log_(log) {}

  /// By how much nodes may take a deadline of the history's for later.
  void set_slack(uint64_t us) {
    slack_us_ = us;
  }
  /// A shard that gives dots of `own` replaces `before` by `after`, which is
  /// empty if it removes the record.
  void stored(uint64_t now_us, core::incarnation own, std::string_view key,
              const core::record& before, const core::record& after);
  /// True if `value` was stored under more than one dot: its put was executed
  /// by more than one shard, or by one that had forgotten it.
  bool repeated(const std::string& value) const;
  const std::set<std::string>& violations() const {
    return violations_;
  }

private:
  const history& log_;
  uint64_t slack_us_ = 0;
  std::map<core::dot, std::string> values_;
  std::map<core::dot, core::request_id> requests_;
  /// How many dots each value has.
  std::map<std::string, uint32_t> dots_;
  std::set<std::string> violations_;
};

/// Called with the rows of record tables as they are written: the row before
/// (empty if there was none) and after (empty if it is removed).
using row_observer
  = std::function<void(storage::table_id table, std::string_view key,
                       std::string_view before, std::string_view after)>;

/// Passes everything on to an engine, and shows an observer what is written.
class observed_engine : public storage::engine {
public:
  /// `inner` outlives this.
  observed_engine(storage::engine& inner, row_observer observer)
    : inner_(inner), observer_(std::move(observer)) {}

  std::unique_ptr<storage::session> open_session() override;
  bool flush() override {
    return inner_.flush();
  }
  uint32_t shards() const override {
    return inner_.shards();
  }
  bool disk_is_full() override {
    return inner_.disk_is_full();
  }
  void checkpoint() override {
    inner_.checkpoint();
  }
  storage::statistics read_statistics() override {
    return inner_.read_statistics();
  }

private:
  storage::engine& inner_;
  row_observer observer_;
};

} // namespace covey::simulation
