// What bounds the memory of answers: budget, forecast, window.

#define CAF_SUITE core.answers

#include "core/answer_budget.hpp"
#include "core/answer_forecast.hpp"
#include "core/answer_window.hpp"
#include "core/credit_window.hpp"

#include <caf/test/unit_test.hpp>

using namespace covey::core;

namespace {

std::shared_ptr<answer_budget> budget_of(uint64_t limit) {
  return std::make_shared<answer_budget>(limit);
}

} // namespace

CAF_TEST(a budget admits up to its limit and something larger alone) {
  auto budget = budget_of(10);
  CAF_CHECK(budget->admits(11));
  answer_charge first{budget, 6};
  CAF_CHECK(budget->admits(4));
  CAF_CHECK(!budget->admits(5));
  // What completes a read finds room where none more is begun.
  CAF_CHECK(!budget->admits_first(1));
  CAF_CHECK(budget_of(10)->admits_first(11));
  first = {};
  CAF_CHECK(budget->admits(11));
}

CAF_TEST(a charge holds its bytes while it lives) {
  auto budget = budget_of(100);
  {
    answer_charge one{budget, 7};
    CAF_CHECK_EQUAL(budget->held(), 7u);
    answer_charge moved{std::move(one)};
    CAF_CHECK_EQUAL(budget->held(), 7u);
    answer_charge assigned;
    assigned = std::move(moved);
    CAF_CHECK_EQUAL(budget->held(), 7u);
    // The bytes are there twice.
    answer_charge copy{assigned};
    CAF_CHECK_EQUAL(budget->held(), 14u);
    copy.resize(3);
    CAF_CHECK_EQUAL(budget->held(), 10u);
    assigned.absorb(std::move(copy));
    CAF_CHECK_EQUAL(budget->held(), 10u);
    CAF_CHECK_EQUAL(assigned.bytes(), 10u);
    answer_charge none;
    none.absorb(std::move(assigned));
    CAF_CHECK_EQUAL(none.bytes(), 10u);
  }
  CAF_CHECK_EQUAL(budget->held(), 0u);
}

CAF_TEST(the average follows the sizes of answers up and down) {
  answer_average average;
  for (auto i = 0; i < 200; ++i)
    average.observed(1000);
  CAF_CHECK(average.bytes() > 980 && average.bytes() <= 1000);
  for (auto i = 0; i < 200; ++i)
    average.observed(10);
  CAF_CHECK(average.bytes() >= 9 && average.bytes() <= 11);
}

CAF_TEST(gets count by the average and scans by what they ask for) {
  answer_average average;
  for (auto i = 0; i < 200; ++i)
    average.observed(160);
  auto size = average.bytes();
  reads_under_way reads;
  CAF_CHECK(!reads.any());
  CAF_CHECK_EQUAL(reads.expected(average, 0), size);
  CAF_CHECK_EQUAL(reads.expected(average, 500), 500u);
  reads.opened(0);
  reads.opened(500);
  CAF_CHECK(reads.any());
  CAF_CHECK_EQUAL(reads.expected(average, 0), 2 * size + 500);
  reads.closed(500);
  reads.closed(0);
  CAF_CHECK(!reads.any());
}

CAF_TEST(a window admits what fits behind what is not taken) {
  answer_window window{100};
  CAF_CHECK(window.admits(1000));
  CAF_CHECK(!window.fits(1000));
  window.sent(60, 0);
  CAF_CHECK(window.admits(40));
  CAF_CHECK(!window.admits(41));
  window.taken(30, 0);
  CAF_CHECK_EQUAL(window.under_way(), 30u);
  CAF_CHECK(window.admits(70));
}

CAF_TEST(a word of bytes taken may be lost or come late or lie) {
  answer_window window{100};
  window.sent(60, 0);
  window.taken(50, 0);
  window.taken(20, 0);
  CAF_CHECK_EQUAL(window.under_way(), 10u);
  window.taken(1'000'000, 0);
  CAF_CHECK_EQUAL(window.under_way(), 0u);
  window.sent(10, 0);
  CAF_CHECK_EQUAL(window.under_way(), 10u);
}

CAF_TEST(a window is stalled when nothing of much was taken for long) {
  answer_window window{100};
  CAF_CHECK(!window.stalled(1'000'000, 10));
  window.sent(40, 1000);
  // Little may lie there for ever: a client need not tell of it.
  CAF_CHECK(!window.stalled(2000, 10));
  window.sent(40, 1500);
  CAF_CHECK(window.stalled(2000, 999));
  CAF_CHECK(!window.stalled(2000, 1000));
  window.taken(1, 1900);
  CAF_CHECK(!window.stalled(2000, 999));
}

CAF_TEST(a window is overrun at twice its limit) {
  answer_window window{100};
  window.sent(200, 0);
  CAF_CHECK(!window.overrun());
  window.sent(1, 0);
  CAF_CHECK(window.overrun());
  window.reset();
  CAF_CHECK_EQUAL(window.under_way(), 0u);
  CAF_CHECK(!window.overrun());
}

CAF_TEST(answers leave half of a link to requests) {
  credit_window credit{100, 10};
  CAF_CHECK(credit.admits_answer(1000));
  credit.sent(30);
  CAF_CHECK(credit.admits_answer(20));
  CAF_CHECK(!credit.admits_answer(21));
  CAF_CHECK(credit.admits(70));
  credit.acknowledged(30);
  CAF_CHECK(credit.admits_answer(1000));
}
