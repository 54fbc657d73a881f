// Random gets against homes that hold records, fail, and are slow.

#define CAF_SUITE core.get_core_model

#include "core/get_core.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <map>
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

uint64_t hash_of(const versions& held) {
  auto bytes = bytes_of(held);
  return version_hash(bytes.empty() ? record{} : *decode_record(bytes));
}

enum class question : uint8_t { record, digest, repair };

/// What was asked of a home and not answered yet.
struct asked {
  uint8_t home;
  question what;
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
    auto first = get_->start();
    if ((first.read | first.digest) != 0 && count(first.read) != 1)
      wrong_ = "does not read one record at first";
    do_what(first);
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
    // Writes go on while it reads.
    if (x.what != question::repair && random_() % 10 == 0)
      disks_[x.home].insert({4, 1});
    if (x.what == question::repair && fails) {
      bad_ |= bit;
      do_what(get_->repair_failed(x.home));
    } else if (x.what == question::repair) {
      auto written = decode_record(get_->merged_bytes());
      for (auto d : versions_in(*written))
        disks_[x.home].insert(d);
      do_what(get_->repaired(x.home));
    } else if (fails) {
      // A read that fails after enough have answered says nothing.
      if (!merging_ && known_.count(x.home) == 0) {
        bad_ |= bit;
        digests_.erase(x.home);
      }
      do_what(get_->failed(x.home));
    } else {
      auto held = disks_[x.home];
      // Small records come whole.
      auto whole = x.what == question::record || random_() % 3 == 0;
      learn(x.home, held, whole);
      do_what(whole ? get_->record_from(x.home, bytes_of(held))
                    : get_->digest_from(x.home, hash_of(held)));
    }
  }

  /// What can be known after this answer: records, and what digests equal them
  /// or stand for nothing.
  void learn(uint8_t home, const versions& held, bool whole) {
    if (merging_ || ended_ != 0 || (bad_ >> home & 1) != 0
        || known_.count(home) != 0)
      return;
    if (whole)
      known_[home] = held;
    else
      digests_[home] = held;
    for (const auto& [other, digest] : digests_) {
      auto same = [&d = digest](const auto& entry) {
        return entry.second == d;
      };
      if (known_.count(other) == 0
          && (digest.empty()
              || std::any_of(known_.begin(), known_.end(), same)))
        known_[other] = digest;
    }
    readers_ = 0;
    read_.clear();
    for (const auto& [other, content] : known_) {
      readers_ |= home_set{1} << other;
      read_.insert(content.begin(), content.end());
    }
    merging_ = need_.met(readers_);
  }

  void do_what(const get_core::action& what) {
    for (uint8_t i = 0; i < disks_.size(); ++i) {
      auto bit = home_set{1} << i;
      if ((what.read & bit) != 0) {
        if (known_.count(i) != 0)
          wrong_ = "reads a record that it knows";
        ask(i, question::record, reads_);
      }
      if ((what.digest & bit) != 0)
        ask(i, question::digest, digest_reads_);
      if ((what.repair & bit) != 0) {
        if ((readers_ & bit) != 0
            && holds(known_[i], versions_in(get_->merged())))
          wrong_ = "repairs a home that lacks nothing";
        ask(i, question::repair, repairs_);
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

  void ask(uint8_t home, question what, home_set& already) {
    auto bit = home_set{1} << home;
    if ((already & bit) != 0)
      wrong_ = what == question::repair ? "repairs a home twice"
                                        : "reads a home twice";
    already |= bit;
    open_.push_back({home, what});
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
  home_set digest_reads_ = 0;
  home_set repairs_ = 0;
  /// What each home was found to have, and what digests stand for.
  std::map<uint8_t, versions> known_;
  std::map<uint8_t, versions> digests_;
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
