#define CAF_SUITE client.ack_log

#include "client/ack_log.hpp"

#include <caf/test/unit_test.hpp>

#include <fstream>
#include <sstream>
#include <unistd.h>

using namespace covey::client;

namespace {

struct file_fixture {
  file_fixture() {
    CAF_REQUIRE(::close(::mkstemp(path)) == 0);
  }

  ~file_fixture() {
    ::unlink(path);
  }

  void write(const std::string& text) {
    std::ofstream{path} << text;
  }

  std::string read() {
    std::ostringstream out;
    out << std::ifstream{path}.rdbuf();
    return out.str();
  }

  void append(std::string_view key) {
    ack_log log;
    CAF_REQUIRE(log.open(path, why));
    CAF_CHECK(log.append(key));
    CAF_CHECK(log.flush());
  }

  char path[32] = "/tmp/covey_ack_log_XXXXXX";
  std::string why;
  key_set keys;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(ack_log_tests, file_fixture)

CAF_TEST(what is appended is loaded) {
  append("a\n\xff");
  append("b");
  CAF_REQUIRE(load_acked(path, keys, why));
  CAF_CHECK(keys == (key_set{"a\n\xff", "b"}));
}

CAF_TEST(a line without its end is no acknowledgement) {
  // "Zm9vYmFy" is foobar; cut short it would be foo.
  write("YQ==\nZm9v");
  CAF_REQUIRE(load_acked(path, keys, why));
  CAF_CHECK(keys == key_set{"a"});
  append("b");
  CAF_CHECK_EQUAL(read(), "YQ==\nYg==\n");
}

CAF_TEST(a long line without its end is cut off too) {
  write("YQ==\n" + std::string(10'000, 'A'));
  append("b");
  CAF_CHECK_EQUAL(read(), "YQ==\nYg==\n");
  write(std::string(10'000, 'A'));
  append("b");
  CAF_CHECK_EQUAL(read(), "Yg==\n");
}

CAF_TEST(a file that is no log is refused) {
  write("YQ==\nhello\n");
  CAF_CHECK(!load_acked(path, keys, why));
  CAF_CHECK(why.find("line 2") != std::string::npos);
  CAF_CHECK(!load_acked("/nonexistent/acks", keys, why));
}

CAF_TEST_FIXTURE_SCOPE_END()
