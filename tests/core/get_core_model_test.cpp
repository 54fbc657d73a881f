// Random gets against homes that hold records, fail, and are slow.

#define CAF_SUITE core.get_core_model

#include "core/get_core.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <random>
#include <set>

using namespace covey::core;

namespace {

using versions = std::set<dot>;
using homes = std::vector<std::string>;

std::string bytes_of(const versions& held) {
  if (held.empty())
    return {};
  record r;
  for (auto d : held) {
    write w;
    w.fresh.id = d;
    w.fresh.stamp = d.counter;
    apply(r, w, conflict_policy::siblings);
  }
  std::string result;
  encode(r, result);
  return result;
}

versions versions_in(const record& r) {
  versions result;
  for (const auto& s : r.siblings)
    result.insert(s.id);
  return result;
}

bool holds(const versions& all, const versions& some) {
  return std::includes(all.begin(), all.end(), some.begin(), some.end());
}

/// What was asked of a home and not answered yet.
struct asked {
  uint8_t home;
  bool repair;
};

/// One get over homes whose disks are sets of versions, written out plainly.
class trial {
public:
  trial(consistency level, const homes& xs, uint64_t seed)
    : random_(seed), disks_(xs.size()), need_(*requirement_of(level, xs, "a")) {
    for (auto& disk : disks_)
      for (incarnation inc = 1; inc <= 3; ++inc)
        if (random_() % 2 == 0)
          disk.insert({inc, 1});
    std::vector<uint8_t> order;
    for (uint8_t i = 0; i < xs.size(); ++i)
      if (random_() % 5 != 0)
        order.push_back(i);
      else
        bad_ |= home_set{1} << i;
    for (size_t i = order.size(); i > 1; --i)
      std::swap(order[i - 1], order[random_() % i]);
    get_.emplace(need_, order, conflict_policy::siblings);
    percent_failing_ = random_() % 60;
  }

  /// Empty if all went well.
  std::string run() {
    do_what(get_->start());
    while (wrong_.empty() && !open_.empty())
      step();
    if (wrong_.empty() && ended_ != 1)
      wrong_ = "all homes have reported and there is no answer";
    if (wrong_.empty() && !get_->settled())
      wrong_ = "is not settled";
    return wrong_;
  }

private:
  void step() {
    if (random_() % 8 == 0) {
      do_what(get_->slow());
      return;
    }
    auto i = random_() % open_.size();
    auto x = open_[i];
    open_.erase(open_.begin() + static_cast<ptrdiff_t>(i));
    auto bit = home_set{1} << x.home;
    auto fails = random_() % 100 < percent_failing_;
    if (x.repair && fails) {
      bad_ |= bit;
      do_what(get_->repair_failed(x.home));
    } else if (x.repair) {
      auto written = decode_record(get_->merged_bytes());
      for (auto d : versions_in(*written))
        disks_[x.home].insert(d);
      do_what(get_->repaired(x.home));
    } else if (fails) {
      // A read that fails after enough have answered says nothing.
      if (!merging_)
        bad_ |= bit;
      do_what(get_->failed(x.home));
    } else {
      if (!merging_ && ended_ == 0) {
        read_.insert(disks_[x.home].begin(), disks_[x.home].end());
        readers_ |= bit;
        merging_ = need_.met(readers_);
      }
      do_what(get_->record_from(x.home, bytes_of(disks_[x.home])));
    }
  }

  void do_what(const get_core::action& what) {
    for (uint8_t i = 0; i < disks_.size(); ++i) {
      auto bit = home_set{1} << i;
      if ((what.read & bit) != 0)
        ask(i, false, reads_);
      if ((what.repair & bit) != 0) {
        if (holds(disks_[i], versions_in(get_->merged())))
          if ((readers_ & bit) != 0)
            wrong_ = "repairs a home that lacks nothing";
        ask(i, true, repairs_);
      }
    }
    if (what.answer)
      check_answer();
    if (what.fail) {
      ++ended_;
      if (need_.possible(bad_))
        wrong_ = "gives up although enough homes are left";
    }
    if (ended_ > 1)
      wrong_ = "answers more than once";
    if (get_->answered() != (ended_ == 1))
      wrong_ = "does not know whether it has answered";
  }

  void ask(uint8_t home, bool repair, home_set& already) {
    auto bit = home_set{1} << home;
    if ((already & bit) != 0)
      wrong_ = repair ? "repairs a home twice" : "reads a home twice";
    already |= bit;
    open_.push_back({home, repair});
  }

  void check_answer() {
    ++ended_;
    auto merged = versions_in(get_->merged());
    if (!need_.met(readers_))
      wrong_ = "answers before enough homes were read";
    if (merged != read_)
      wrong_ = "the answer is not the union of what was read";
    home_set current = 0;
    for (size_t i = 0; i < disks_.size(); ++i)
      if (holds(disks_[i], merged))
        current |= home_set{1} << i;
    if (need_.overlaps_itself() && !need_.met(current))
      wrong_ = "answers what too few homes have on disk";
  }

  std::mt19937_64 random_;
  std::vector<versions> disks_;
  requirement need_;
  std::optional<get_core> get_;
  uint64_t percent_failing_ = 0;
  std::vector<asked> open_;
  /// Homes that may not be asked or have failed.
  home_set bad_ = 0;
  home_set reads_ = 0;
  home_set repairs_ = 0;
  /// Homes whose records count, all that they hold, and whether they suffice.
  home_set readers_ = 0;
  versions read_;
  bool merging_ = false;
  int ended_ = 0;
  std::string wrong_;
};

const std::vector<homes> placements{
  {"a"},
  {"a", "a", "a"},
  {"a", "b", "a", "b"},
  {"a", "a", "a", "a", "a"},
  {"a", "b", "a", "b", "a", "b"},
};

} // namespace

CAF_TEST(no order of events makes a get answer wrongly or twice or never) {
  for (uint64_t seed = 1; seed <= 4000; ++seed)
    for (const auto& xs : placements)
      for (consistency level : {consistency{consistency_level::one, 0},
                                consistency{consistency_level::quorum, 0},
                                consistency{consistency_level::all, 0},
                                consistency{consistency_level::local_quorum, 0},
                                consistency{consistency_level::each_quorum, 0},
                                consistency{consistency_level::number, 2}}) {
        if (level.count > xs.size())
          continue;
        auto wrong = trial{level, xs, seed}.run();
        if (!wrong.empty())
          CAF_FAIL("seed " << seed << ", " << to_string(level) << " of "
                           << xs.size() << " homes: " << wrong);
      }
  CAF_CHECK(true);
}
