#define CAF_SUITE client.report

#include "client/address.hpp"
#include "client/report.hpp"
#include "client/table.hpp"

#include <caf/test/unit_test.hpp>

using namespace covey;
using namespace covey::client;

CAF_TEST(every error has an exit code and advice) {
  for (int i = 1; i <= 24; ++i) {
    auto code = static_cast<errc>(i);
    if (to_string(code).find("error_") == 0)
      continue;
    auto exit = exit_code(code);
    CAF_CHECK(exit == exits::unavailable || exit == exits::rejected);
    CAF_CHECK(!advice(code).empty());
  }
  CAF_CHECK_EQUAL(exit_code(errc::value_too_large), 5);
  CAF_CHECK_EQUAL(exit_code(errc::unknown_keyspace), 5);
  for (auto code : {errc::unavailable, errc::timed_out, errc::overloaded,
                    errc::connection_lost, errc::quorum_not_met,
                    errc::disk_full, errc::storage_failed, errc::shutting_down})
    CAF_CHECK_EQUAL(exit_code(code), 3);
}

CAF_TEST(an error is one line that says whether the write happened) {
  CAF_CHECK_EQUAL(
    error_line("put", {errc::shutting_down, "n1\nstops", true, false}),
    "covey: put: shutting_down: n1 stops; nothing was written. Try again at "
    "another node, given with --node.");
  CAF_CHECK(error_line("put", {errc::timed_out, "", true, true})
              .find("may have happened")
            != std::string::npos);
  CAF_CHECK(
    error_line("get", {errc::timed_out, "", false, false}).find("written")
    == std::string::npos);
}

CAF_TEST(addresses are read as people write them) {
  CAF_CHECK(parse_node_address("n1:7101") == (node_address{"n1", 7101}));
  CAF_CHECK(parse_node_address("[::1]:65535") == (node_address{"::1", 65535}));
  CAF_CHECK_EQUAL(to_string(node_address{"::1", 1}), "[::1]:1");
  CAF_CHECK_EQUAL(to_string(node_address{"n1", 1}), "n1:1");
  for (auto text : {"", "n1", ":1", "n1:", "n1:0", "n1:65536", "n1:-1", "n1:1x",
                    "::1:1", "[]:1", "n 1:1", "n1: 1"})
    CAF_CHECK(!parse_node_address(text));
}

CAF_TEST(tables align their columns) {
  table t{{"NAME", "SLOTS"}, {1}};
  t.add({"n1", "5"});
  t.add({"longer"});
  CAF_CHECK_EQUAL(t.str(), "NAME    SLOTS\nn1          5\nlonger\n");
  CAF_CHECK_EQUAL(show_microseconds(950), "950 us");
  CAF_CHECK_EQUAL(show_microseconds(1250), "1.2 ms");
  CAF_CHECK_EQUAL(show_seconds(3600), "1 h");
  CAF_CHECK_EQUAL(show_seconds(90'061), "1 d 1 h");
}
