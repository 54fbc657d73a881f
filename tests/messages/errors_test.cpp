#define CAF_SUITE messages.errors

#include "tests/test.hpp"

#include <set>

using namespace covey;

namespace {

constexpr errc all[] = {errc::none,
                        errc::overloaded,
                        errc::unavailable,
                        errc::timed_out,
                        errc::quorum_not_met,
                        errc::connection_lost,
                        errc::shutting_down,
                        errc::empty_key,
                        errc::key_too_large,
                        errc::value_too_large,
                        errc::unknown_keyspace,
                        errc::unknown_level,
                        errc::deadline_expired,
                        errc::bad_context,
                        errc::too_many_siblings,
                        errc::clock_skew,
                        errc::bad_message,
                        errc::disk_full,
                        errc::storage_failed,
                        errc::stale_epoch,
                        errc::not_owner,
                        errc::wrong_cluster,
                        errc::disk_lost,
                        errc::change_refused,
                        errc::behind};

} // namespace

CAF_TEST(the numbers of the errors are frozen) {
  const int numbers[] = {0,  1,  2,  3,  4,  5,  6,  10, 11, 12, 13, 14, 15,
                         16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27};
  for (size_t i = 0; i < std::size(all); ++i)
    CAF_CHECK_EQUAL(static_cast<int>(all[i]), numbers[i]);
}

CAF_TEST(every error has a name of its own) {
  std::set<std::string> names;
  for (auto x : all) {
    auto name = to_string(x);
    CAF_CHECK(name.find("error_") == std::string::npos);
    CAF_CHECK(names.insert(name).second);
  }
  CAF_CHECK_EQUAL(to_string(errc::quorum_not_met), "quorum_not_met");
}

CAF_TEST(an error of a newer node is named by its number) {
  CAF_CHECK_EQUAL(to_string(static_cast<errc>(200)), "error_200");
  CAF_CHECK(!is_retryable(static_cast<errc>(200)));
}

CAF_TEST(only what may go better the next time is to be retried) {
  const std::set<errc> retryable{
    errc::overloaded,     errc::unavailable,     errc::timed_out,
    errc::quorum_not_met, errc::connection_lost, errc::shutting_down,
    errc::disk_full,      errc::storage_failed,  errc::stale_epoch,
    errc::not_owner,      errc::disk_lost,       errc::behind};
  for (auto x : all)
    CAF_CHECK_EQUAL(is_retryable(x), retryable.count(x) > 0);
}

CAF_TEST_FIXTURE_SCOPE(error_tests, test::fixture)

CAF_TEST(an error of ours is rendered with its name) {
  auto err = caf::make_error(errc::disk_full, std::string("n1"));
  CAF_CHECK_EQUAL(err, errc::disk_full);
  CAF_CHECK_EQUAL(sys.render(err), "covey.disk_full(\"n1\")");
}

CAF_TEST(an error of ours survives serialization) {
  auto err = caf::make_error(errc::not_owner);
  CAF_CHECK_EQUAL(roundtrip(err), errc::not_owner);
}

CAF_TEST_FIXTURE_SCOPE_END()
