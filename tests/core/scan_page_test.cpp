#define CAF_SUITE core.scan_page

#include "core/scan_page.hpp"
#include "core/slot.hpp"

#include <caf/test/unit_test.hpp>

#include <random>

using namespace covey::core;

namespace {

std::string page_of_two() {
  std::string rows;
  append_row(rows, "a", "record a");
  append_row(rows, std::string("b\0c", 3), "");
  return encode_page(7, "b", rows);
}

} // namespace

CAF_TEST(a page comes back as it was written) {
  auto bytes = page_of_two();
  auto page = decode_page(bytes);
  CAF_REQUIRE(page);
  CAF_CHECK_EQUAL(page->next_slot, 7u);
  CAF_CHECK_EQUAL(page->next_after_key, "b");
  CAF_REQUIRE_EQUAL(page->rows.size(), 2u);
  CAF_CHECK_EQUAL(page->rows[0].first, "a");
  CAF_CHECK_EQUAL(page->rows[0].second, "record a");
  CAF_CHECK_EQUAL(page->rows[1].first, std::string("b\0c", 3));
  CAF_CHECK_EQUAL(page->rows[1].second, "");
}

CAF_TEST(the last page names the slot after the last) {
  auto bytes = encode_page(slot_count, {}, {});
  auto page = decode_page(bytes);
  CAF_REQUIRE(page);
  CAF_CHECK_EQUAL(page->next_slot, slot_count);
  CAF_CHECK(page->rows.empty());
}

CAF_TEST(a slot beyond the end is refused) {
  CAF_CHECK(!decode_page(encode_page(slot_count + 1, {}, {})));
}

CAF_TEST(a truncated page is refused unless it is cut between rows) {
  auto bytes = page_of_two();
  // Slot and key of the next page, then rows of 1+1+1+8 and 1+3+1 bytes.
  const size_t head = 1 + 1 + 1;
  const size_t first_row = head + 1 + 1 + 1 + 8;
  for (size_t n = 0; n < bytes.size(); ++n) {
    auto page = decode_page(std::string_view{bytes}.substr(0, n));
    CAF_CHECK_EQUAL(page.has_value(), n == head || n == first_row);
  }
}

CAF_TEST(a row longer than the page is refused) {
  auto bytes = encode_page(0, {}, {});
  bytes += "\xff\xff\xff\xff\x0f";
  CAF_CHECK(!decode_page(bytes));
}

CAF_TEST(garbage is refused or decoded but never read beyond its end) {
  for (uint64_t seed = 1; seed <= 20000; ++seed) {
    std::mt19937_64 random{seed};
    std::string bytes(random() % 40, '\0');
    for (auto& c : bytes)
      c = static_cast<char>(random() % 8 == 0 ? random() : random() % 6);
    auto page = decode_page(bytes);
    if (!page)
      continue;
    for (auto& [key, record] : page->rows)
      for (auto part : {key, record})
        if (part.data() < bytes.data()
            || part.data() + part.size() > bytes.data() + bytes.size())
          CAF_FAIL("seed " << seed << " points outside of the page");
  }
  CAF_CHECK(true);
}
