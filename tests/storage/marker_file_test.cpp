#define CAF_SUITE storage.marker_file

#include "storage/file_system.hpp"
#include "storage/marker_file.hpp"
#include "tests/storage/temporary_directory.hpp"

#include <caf/test/unit_test.hpp>

#include <fcntl.h>
#include <unistd.h>

using namespace covey::storage;

namespace {

markers sample(uint64_t run) {
  return {0x0123456789abcdef, 42, run, {7, 0, UINT64_MAX}};
}

struct fixture {
  test::temporary_directory directory;
  std::string error;

  std::optional<marker_file> open() {
    return marker_file::open(directory.path(), error);
  }

  /// The run in the file, or 0 if there is none.
  uint64_t run() {
    auto file = open();
    return file && file->read() ? file->read()->run : 0;
  }

  void overwrite(uint64_t offset, const std::string& bytes) {
    int file = ::open((directory / "MARKERS").c_str(), O_WRONLY);
    CAF_REQUIRE(write_at(file, bytes, offset));
    ::close(file);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(marker_file_tests, fixture)

CAF_TEST(a copy has exactly the documented bytes) {
  auto bytes = encode_markers({3, {1, 2, 5, {258}}});
  CAF_CHECK_EQUAL(bytes.size(), 4096u);
  const char expected[] = "coveymk1"
                          "\0\0\0\0\0\0\0\3"
                          "\0\0\0\0\0\0\0\1"
                          "\0\0\0\0\0\0\0\2"
                          "\0\0\0\0\0\0\0\5"
                          "\0\0\0\1"
                          "\0\0\0\0\0\0\1\2"
                          "\x0e\x97\x4d\xc4\x62\x00\xeb\xca";
  CAF_CHECK(bytes.substr(0, sizeof(expected) - 1)
            == std::string(expected, sizeof(expected) - 1));
  CAF_CHECK_EQUAL(bytes.find_first_not_of('\0', 60), std::string::npos);
}

CAF_TEST(a decoded copy is what was encoded) {
  auto copy = decode_markers(encode_markers({9, sample(4)}));
  CAF_REQUIRE(copy);
  CAF_CHECK_EQUAL(copy->generation, 9u);
  CAF_CHECK_EQUAL(copy->content.id_high, 0x0123456789abcdefu);
  CAF_CHECK_EQUAL(copy->content.id_low, 42u);
  CAF_CHECK_EQUAL(copy->content.run, 4u);
  CAF_CHECK_EQUAL(copy->content.flushed, sample(4).flushed);
}

CAF_TEST(any flipped bit makes a copy unsound) {
  auto bytes = encode_markers({9, sample(4)});
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    CAF_REQUIRE(!decode_markers(damaged));
  }
  CAF_CHECK(!decode_markers(bytes.substr(1)));
  CAF_CHECK(!decode_markers(bytes + '\0'));
  CAF_CHECK(!decode_markers(""));
}

CAF_TEST(opening creates no file) {
  auto file = open();
  CAF_REQUIRE(file);
  CAF_CHECK(!file->read());
  CAF_CHECK(!file_exists(directory / "MARKERS"));
}

CAF_TEST(the newest write is read back) {
  {
    auto file = open();
    for (uint64_t run = 1; run <= 20; ++run) {
      CAF_REQUIRE(file->write(sample(run), run % 3 == 0));
      CAF_CHECK_EQUAL(file->read()->run, run);
      CAF_REQUIRE_EQUAL(this->run(), run);
    }
  }
  auto file = open();
  CAF_REQUIRE(file->write(sample(21), false));
  CAF_CHECK_EQUAL(run(), 21u);
}

CAF_TEST(a torn write leaves the copy that was synced last) {
  auto file = open();
  file->write(sample(1), true);
  file->write(sample(2), true);
  // From here on nothing is synced, however often it is written.
  for (uint64_t run = 3; run < 10; ++run)
    file->write(sample(run), false);
  auto bytes = *read_file(directory / "MARKERS", error);
  bool first_is_newer = decode_markers(bytes.substr(0, 4096))->content.run == 9;
  overwrite(first_is_newer ? 0 : 4096, std::string(512, 'x'));
  CAF_CHECK_EQUAL(run(), 2u);
}

CAF_TEST(two damaged copies are an error and not an empty file) {
  open()->write(sample(1), true);
  overwrite(0, "x");
  CAF_CHECK(!open());
  CAF_CHECK(error.find("MARKERS is damaged in both copies")
            != std::string::npos);
  for (off_t size : {0, 100, 4096, 8191}) {
    CAF_REQUIRE_EQUAL(::truncate((directory / "MARKERS").c_str(), size), 0);
    CAF_CHECK(!open());
  }
}

CAF_TEST(a file that cannot be read is an error) {
  CAF_REQUIRE(std::filesystem::create_directory(directory / "MARKERS"));
  CAF_CHECK(!open());
  CAF_CHECK(error.find("cannot read") != std::string::npos);
}

CAF_TEST(a directory that refuses the first write is told) {
  test::temporary_directory gone;
  auto file = marker_file::open(gone / "missing", error);
  CAF_REQUIRE(file);
  CAF_CHECK(!file->write(sample(1), true));
}

CAF_TEST_FIXTURE_SCOPE_END()
