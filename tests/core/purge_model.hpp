// Three owners of a key and a fourth member that keeps hints, with every way
// in which a record may be late: the model that purging is checked against.

#pragma once

#include "core/purge.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

namespace covey::test {

/// How an owner comes by its watermark.
enum class purge_rule : uint8_t {
  proof,
  // Each of these is a mistake.
  time_alone,
  without_hints,
  /// The oldest of the last comparisons and of the hints, as of now.
  one_look,
};

class purge_model {
public:
  static constexpr size_t owners = 3;
  static constexpr size_t members = 4;
  // Milliseconds.
  static constexpr uint64_t deadline = 60;
  static constexpr uint64_t linger = 20;
  static constexpr uint64_t patience = 30;
  static constexpr uint64_t drift = 10;
  static constexpr uint64_t margin = deadline + linger + patience + 2 * drift;

  purge_model(uint64_t seed, purge_rule rule) : random_(seed), rule_(rule) {
    for (auto& m : all_)
      m.skew = static_cast<int64_t>(below(drift + 1)) - drift / 2;
    constexpr std::array<uint64_t, 3> rates{60, 12, 4};
    compares_ = rates[below(rates.size())];
    handed_over_ = chance(50) ? 30 : 2;
  }

  /// Bursts of writes with silence between them.
  void live() {
    for (int burst = 0; burst < 4; ++burst) {
      auto writes = 1 + below(6);
      for (uint64_t i = 0; i < writes; ++i) {
        write();
        pass(below(30));
      }
      remove_what_is_seen();
      pass(300 + below(3'000));
    }
    pass(6'000);
  }

  uint64_t purged() const {
    return purged_;
  }
  uint64_t resurrected() const {
    return resurrected_;
  }
  /// Records that were taken for outdated: none is.
  uint64_t refused() const {
    return refused_;
  }

private:
  struct hint {
    size_t target;
    uint64_t since;
    core::record record;
    uint64_t id;
    /// Its target cannot be reached before, as its keeper sees it.
    uint64_t not_before;
  };
  struct member {
    int64_t skew = 0;
    uint64_t frozen_until = 0;
    std::optional<core::record> record;
    uint64_t counter = 0;
    uint64_t watermark = 0;
    core::watermark_proof proof;
    std::vector<hint> hints;
    /// What each member has said, as far as it has got here.
    std::array<uint64_t, members> said{};
    std::array<uint64_t, owners> equal{};
  };
  struct message {
    size_t to;
    uint64_t at;
    /// On the clock of whoever takes it.
    uint64_t deadline;
    core::record record;
    /// To be kept for this owner instead of merged.
    std::optional<size_t> keep_for;
    /// The hint that it is, and where that is kept.
    uint64_t hint = 0;
    size_t from = 0;
  };
  struct exchange {
    size_t a;
    size_t b;
    uint64_t began;
    std::optional<core::record> seen_a;
    bool first = true;
  };

  uint64_t below(uint64_t n) {
    return n == 0 ? 0 : random_() % n;
  }
  bool chance(uint64_t percent) {
    return below(100) < percent;
  }
  uint64_t clock(size_t m) const {
    return now_ + static_cast<uint64_t>(all_[m].skew);
  }
  bool frozen(size_t m) const {
    return all_[m].frozen_until > now_;
  }

  void write() {
    auto c = below(owners);
    auto& home = all_[c];
    if (frozen(c))
      return;
    core::write w;
    if (!contexts_.empty() && chance(70))
      w.seen = contexts_[below(contexts_.size())];
    execute(c, w, chance(40));
    contexts_.push_back(home.record->seen);
  }

  void remove_what_is_seen() {
    auto c = below(owners);
    if (frozen(c) || !all_[c].record || chance(10))
      return;
    core::write w;
    w.seen = all_[c].record->seen;
    execute(c, w, true);
  }

  void execute(size_t c, core::write& w, bool tombstone) {
    auto& home = all_[c];
    core::record r = home.record.value_or(core::record{});
    auto stamp = std::max({clock(c) * 1000, r.highest_stamp() + 1, newest_});
    newest_ = std::max(newest_, chance(50) ? 0 : stamp);
    w.fresh = {{c + 1, ++home.counter}, stamp, 0, {}, tombstone, "v"};
    if (!tombstone && chance(20))
      w.fresh.expires_at_ms = now_ + below(100);
    core::apply(r, w, core::conflict_policy::siblings);
    home.record = r;
    for (size_t i = 0; i < owners; ++i) {
      if (i == c || chance(20))
        continue;
      auto keeper = below(members);
      if (chance(50) || keeper == i)
        send({i, 0, now_ + deadline, r, {}});
      else
        send({keeper, 0, now_ + deadline + linger, r, i});
    }
  }

  /// Most arrive soon, some so late that they are refused.
  void send(message m) {
    m.at = now_ + (chance(70) ? below(5) : below(deadline + linger + 20));
    if (chance(90))
      wire_.push_back(std::move(m));
  }

  void pass(uint64_t ms) {
    for (auto end = now_ + ms; now_ < end; ++now_)
      step();
  }

  void step() {
    for (size_t i = 0; i < wire_.size();) {
      if (wire_[i].at > now_ || frozen(wire_[i].to)) {
        ++i;
        continue;
      }
      auto m = std::move(wire_[i]);
      wire_.erase(wire_.begin() + static_cast<ptrdiff_t>(i));
      take(m);
    }
    for (size_t m = 0; m < members; ++m) {
      if (chance(1) && chance(20))
        all_[m].frozen_until = now_ + below(400);
      if (!frozen(m))
        work(m);
    }
    check();
  }

  void take(message& m) {
    auto& to = all_[m.to];
    if (m.deadline < clock(m.to))
      return;
    if (m.keep_for) {
      auto wait = chance(30) ? below(3'000) : 0;
      to.hints.push_back(
        {*m.keep_for, clock(m.to), m.record, ++hint_ids_, now_ + wait});
      return;
    }
    auto what = core::admit(to.record ? &*to.record : nullptr, m.record,
                            to.watermark, {true, 0});
    if (what == core::admission::outdated)
      ++refused_;
    else if (what == core::admission::merge)
      to.record = to.record ? core::merge(*to.record, m.record,
                                          core::conflict_policy::siblings)
                            : m.record;
    auto& kept = all_[m.from].hints;
    kept.erase(std::remove_if(kept.begin(), kept.end(),
                              [&](const hint& h) {
                                return h.id == m.hint;
                              }),
               kept.end());
  }

  void work(size_t m) {
    auto& me = all_[m];
    if (below(1'000) < handed_over_ && !me.hints.empty()) {
      const auto& h = me.hints[below(me.hints.size())];
      if (h.not_before <= now_)
        send({h.target, 0, now_ + patience, h.record, {}, h.id, m});
    }
    if (chance(20))
      report(m);
    if (m >= owners)
      return;
    if (below(1'000) < compares_)
      compare(m);
    if (chance(20))
      prove(m);
    if (chance(10) && me.record)
      core::expire(*me.record, clock(m));
    if (chance(20) && me.record && core::may_purge(*me.record, me.watermark)) {
      dead_.push_back(me.record->seen);
      me.record.reset();
      ++purged_;
    }
  }

  void report(size_t m) {
    auto oldest = clock(m);
    for (const auto& h : all_[m].hints)
      oldest = std::min(oldest, h.since);
    for (size_t i = 0; i < owners; ++i)
      if (i == m || chance(70))
        all_[i].said[m] = oldest;
  }

  /// The two sides are read at different times, and what differs travels.
  void compare(size_t m) {
    if (!open_[m]) {
      open_[m] = exchange{m, (m + 1 + below(2)) % owners, now_, {}, true};
      return;
    }
    auto& x = *open_[m];
    auto& a = all_[x.a];
    auto& b = all_[x.b];
    if (x.first) {
      x.seen_a = a.record;
      x.first = false;
      return;
    }
    auto same = x.seen_a.has_value() == b.record.has_value()
                && (!x.seen_a || core::same_version(*x.seen_a, *b.record));
    if (same) {
      a.equal[x.b] = x.began + static_cast<uint64_t>(a.skew);
      b.equal[x.a] = x.began + static_cast<uint64_t>(b.skew);
    } else {
      if (x.seen_a)
        send({x.b, 0, now_ + patience, *x.seen_a, {}});
      if (b.record)
        send({x.a, 0, now_ + patience, *b.record, {}});
    }
    if (!frozen(x.b))
      a.watermark = b.watermark = std::max(a.watermark, b.watermark);
    open_[m].reset();
  }

  void prove(size_t m) {
    auto& me = all_[m];
    core::purge_evidence x;
    x.now_ms = clock(m);
    x.carriers_ms = *std::min_element(me.said.begin(), me.said.end());
    x.equal_ms = x.now_ms;
    for (size_t i = 0; i < owners; ++i)
      if (i != m)
        x.equal_ms = std::min(x.equal_ms, me.equal[i]);
    if (rule_ == purge_rule::without_hints)
      x.carriers_ms = x.now_ms;
    auto proven = me.proof.advance(x, margin);
    if (rule_ == purge_rule::time_alone)
      proven = x.now_ms > margin ? x.now_ms - margin : 0;
    if (rule_ == purge_rule::one_look) {
      auto least = std::min(x.equal_ms, x.carriers_ms);
      proven = least > margin ? least - margin : 0;
    }
    me.watermark = std::max(me.watermark, proven);
  }

  /// What was purged, and all that it had replaced, is nowhere alive.
  void check() {
    for (size_t m = 0; m < owners; ++m)
      if (all_[m].record)
        for (const auto& s : all_[m].record->siblings)
          for (const auto& seen : dead_)
            resurrected_
              += !s.tombstone && s.expires_at_ms == 0 && seen.covers(s.id) ? 1
                                                                           : 0;
  }

  std::mt19937_64 random_;
  purge_rule rule_;
  /// Of 1,000 milliseconds, for each owner and each keeper.
  uint64_t compares_ = 0;
  uint64_t handed_over_ = 0;
  uint64_t now_ = 1'000;
  std::array<member, members> all_;
  std::array<std::optional<exchange>, owners> open_;
  std::vector<message> wire_;
  std::vector<core::context> contexts_;
  uint64_t newest_ = 0;
  uint64_t hint_ids_ = 0;
  std::vector<core::context> dead_;
  uint64_t purged_ = 0;
  uint64_t resurrected_ = 0;
  uint64_t refused_ = 0;
};

} // namespace covey::test
