#define CAF_SUITE client.line_reader

#include "client/line_reader.hpp"

#include <caf/test/unit_test.hpp>

#include <unistd.h>
#include <vector>

using namespace covey::client;
using event = line_reader::event;

namespace {

struct pipe_fixture {
  pipe_fixture() {
    CAF_REQUIRE(::pipe(fds) == 0);
  }

  ~pipe_fixture() {
    close_writer();
    ::close(fds[0]);
  }

  void write(std::string_view bytes) {
    CAF_REQUIRE(::write(fds[1], bytes.data(), bytes.size())
                == static_cast<ssize_t>(bytes.size()));
  }

  void close_writer() {
    if (fds[1] >= 0)
      ::close(fds[1]);
    fds[1] = -1;
  }

  int fds[2];
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(line_reader_tests, pipe_fixture)

CAF_TEST(lines come whole even if they arrive in pieces) {
  line_reader reader{fds[0], 100};
  std::string_view line;
  CAF_CHECK(reader.next(line, 0) == event::nothing);
  write("one\n\ntw");
  CAF_REQUIRE(reader.next(line, 0) == event::line);
  CAF_CHECK_EQUAL(line, "one");
  CAF_REQUIRE(reader.next(line, 0) == event::line);
  CAF_CHECK_EQUAL(line, "");
  CAF_CHECK(reader.next(line, 0) == event::nothing);
  write("o\nthree");
  CAF_REQUIRE(reader.next(line, 0) == event::line);
  CAF_CHECK_EQUAL(line, "two");
  CAF_CHECK_EQUAL(reader.line_number(), 3u);
  CAF_CHECK(reader.next(line, 0) == event::nothing);
  close_writer();
  CAF_REQUIRE(reader.next(line, 0) == event::line);
  CAF_CHECK_EQUAL(line, "three");
  CAF_CHECK(reader.next(line, 0) == event::end);
  CAF_CHECK(reader.next(line, 0) == event::end);
  CAF_CHECK_EQUAL(reader.bytes_read(), 14u);
}

CAF_TEST(a line over the limit is skipped and counted once) {
  line_reader reader{fds[0], 10};
  std::string_view line;
  for (int i = 0; i < 5; ++i) {
    write("0123456789abcdef");
    CAF_CHECK(reader.next(line, 0) == event::nothing);
  }
  write("\nshort\n0123456789a\n0123456789\n");
  CAF_CHECK(reader.next(line, 0) == event::too_long);
  CAF_REQUIRE(reader.next(line, 0) == event::line);
  CAF_CHECK_EQUAL(line, "short");
  CAF_CHECK(reader.next(line, 0) == event::too_long);
  CAF_REQUIRE(reader.next(line, 0) == event::line);
  CAF_CHECK_EQUAL(line, "0123456789");
  CAF_CHECK_EQUAL(reader.line_number(), 4u);
  write("0123456789abcdef");
  CAF_CHECK(reader.next(line, 0) == event::nothing);
  close_writer();
  CAF_CHECK(reader.next(line, 0) == event::too_long);
  CAF_CHECK(reader.next(line, 0) == event::end);
}

CAF_TEST_FIXTURE_SCOPE_END()
