#define CAF_SUITE core.scan_core

#include "core/scan_core.hpp"
#include "core/scan_page.hpp"
#include "core/slot.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <set>

using namespace covey::core;

namespace {

requirement quorum() {
  return *requirement_of({consistency_level::quorum, 0}, {"dc1", "dc1", "dc1"},
                         "dc1");
}

record make_record(const std::string& value, uint64_t counter) {
  record r;
  write w;
  w.fresh.id = {7, counter};
  w.fresh.stamp = counter;
  w.fresh.value = value;
  apply(r, w, conflict_policy::siblings);
  return r;
}

using position = std::pair<uint32_t, std::string>;
using store = std::map<position, std::string>;

/// A page of at most `rows` rows after `from`, as a shard would answer it.
std::string page_of(const store& rows_of_home, const position& from,
                    size_t rows) {
  std::string bytes;
  auto i = rows_of_home.upper_bound(from);
  position end{slot_count, ""};
  for (size_t n = 0; i != rows_of_home.end(); ++i, ++n) {
    if (n == rows)
      return encode_page(end.first, end.second, bytes);
    append_row(bytes, i->first.second, i->second);
    end = i->first;
  }
  return encode_page(slot_count, "", bytes);
}

} // namespace

CAF_TEST(pages of a quorum hold what any quorum has and end only at the end) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 random{seed};
    store homes[3];
    std::set<std::string> everywhere;
    for (int i = 0; i < 60; ++i) {
      auto key = "key-" + std::to_string(random() % 1000);
      if (!everywhere.insert(key).second)
        continue;
      std::string bytes;
      encode(make_record("value of " + key, 1 + random() % 9), bytes);
      // An acknowledged write is on two homes at least.
      auto missing = random() % 4;
      for (uint64_t h = 0; h < 3; ++h)
        if (h != missing)
          homes[h][{slot_of(key, false), key}] = bytes;
    }
    std::set<std::string> found;
    position at{0, ""};
    auto steps = 0;
    while (at.first < slot_count && ++steps < 1000) {
      scan_core scan{quorum(), {0, 1, 2}, conflict_policy::siblings, false};
      auto what = scan.start();
      CAF_REQUIRE_EQUAL(count(what.read), 2u);
      if (random() % 3 == 0)
        what = scan.failed(0);
      for (uint8_t h = 0; h < 3 && !what.answer; ++h)
        what = scan.page_from(h, page_of(homes[h], at, 1 + random() % 7));
      CAF_REQUIRE(what.answer);
      for (const auto& [key, rec] : scan.rows()) {
        CAF_CHECK_EQUAL(rec.siblings.size(), 1u);
        CAF_CHECK(found.insert(std::string{key}).second);
      }
      at = {scan.next_slot(), std::string{scan.next_after_key()}};
    }
    if (found != everywhere)
      CAF_FAIL("seed " << seed << ": " << found.size() << " of "
                       << everywhere.size());
  }
}

CAF_TEST(a scan fails once too few homes are left) {
  scan_core scan{quorum(), {0, 1, 2}, conflict_policy::siblings, false};
  CAF_CHECK_EQUAL(scan.start().read, 0b011u);
  CAF_CHECK_EQUAL(scan.failed(0).read, 0b100u);
  CAF_CHECK(scan.failed(1).fail);
  CAF_CHECK(!scan.page_from(2, page_of({}, {0, ""}, 1)).answer);
}

CAF_TEST(a page that cannot be decoded counts as a failure of its home) {
  scan_core scan{quorum(), {0, 1, 2}, conflict_policy::siblings, false};
  scan.start();
  CAF_CHECK_EQUAL(scan.page_from(0, "\xff").read, 0b100u);
}
