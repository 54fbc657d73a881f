#define CAF_SUITE storage.data_directory

#include "core/bytes.hpp"
#include "storage/data_directory.hpp"
#include "storage/file_system.hpp"
#include "storage/layout.hpp"
#include "tests/storage/temporary_directory.hpp"

#include <caf/test/unit_test.hpp>

#include <functional>
#include <sys/wait.h>
#include <unistd.h>

using namespace covey;
using namespace covey::storage;

namespace fs = std::filesystem;

namespace {

struct fixture {
  test::temporary_directory directory;
  directory_options options;
  std::string error;

  fixture() {
    options.engine.directory = directory / "below/data";
    options.engine.shards = 2;
    options.engine.cache_mb = 50;
    options.engine.min_free_mb = 0;
    options.engine.log = [](const std::string&, bool) {};
    options.member = {1, 2};
    options.now_s = 1000;
  }

  std::unique_ptr<data_directory> open() {
    return data_directory::open(options, error);
  }

  std::unique_ptr<data_directory> must_open() {
    auto result = open();
    CAF_REQUIRE_EQUAL(error, "");
    return result;
  }

  void must_refuse(const std::string& why) {
    CAF_CHECK(open() == nullptr);
    CAF_MESSAGE(error);
    CAF_CHECK_NOT_EQUAL(error.find(why), std::string::npos);
    CAF_CHECK_EQUAL(error.find('\n'), std::string::npos);
  }

  std::string operator/(const std::string& name) const {
    return options.engine.directory + "/" + name;
  }

  static void commit(data_directory& to, uint32_t shard, uint64_t sequence) {
    auto s = to.engine().open_session();
    std::string row;
    core::byte_writer{row}.u64(sequence);
    s->begin();
    s->put(shard, "key" + std::to_string(sequence), "value");
    s->put(system_table, sequence_row(shard), row);
    CAF_REQUIRE(s->commit() == status::ok);
  }

  /// Runs `body` in a process that ends without closing anything.
  static void in_dying_process(const std::function<void()>& body) {
    auto child = ::fork();
    if (child == 0) {
      body();
      ::_exit(0);
    }
    int outcome = 0;
    ::waitpid(child, &outcome, 0);
    CAF_REQUIRE_EQUAL(outcome, 0);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(data_directory_tests, fixture)

CAF_TEST(a run is higher than the one before and not below the time) {
  CAF_CHECK_EQUAL(must_open()->run(), 1000u);
  auto second = must_open();
  CAF_CHECK_EQUAL(second->previous_run(), 1000u);
  CAF_CHECK_EQUAL(second->run(), 1001u);
  second.reset();
  options.now_s = 5000;
  CAF_CHECK_EQUAL(must_open()->run(), 5000u);
  options.now_s = 10;
  auto last = must_open();
  CAF_CHECK_EQUAL(last->previous_run(), 5000u);
  CAF_CHECK_EQUAL(last->run(), 5001u);
}

CAF_TEST(a new directory has no previous run and belongs to its user alone) {
  auto x = must_open();
  CAF_CHECK_EQUAL(x->previous_run(), 0u);
  for (const auto* name : {"below", "below/data"})
    CAF_CHECK(fs::status(directory / name).permissions() == fs::perms{0700});
}

CAF_TEST(a run is on disk when open returns) {
  in_dying_process([&] {
    open().release();
  });
  in_dying_process([&] {
    open().release();
  });
  CAF_CHECK_EQUAL(must_open()->run(), 1002u);
}

CAF_TEST(a directory in use names the process that has it) {
  auto x = must_open();
  must_refuse("it is in use by process " + std::to_string(::getpid()));
  x->close();
  must_open();
}

CAF_TEST(a keyspace is refused under another replication than before) {
  options.keyspaces = {{"users", "3"}};
  CAF_REQUIRE(open());
  options.keyspaces = {{"users", "2"}, {"carts", "3"}};
  CAF_CHECK(!open());
  CAF_CHECK(error.find("keyspace users") != std::string::npos);
  CAF_CHECK(error.find("replication 3") != std::string::npos);
  // The refused start has noted nothing.
  options.keyspaces = {{"users", "3"}, {"carts", "2"}};
  CAF_CHECK(open());
}

CAF_TEST(another member is refused) {
  must_open();
  options.member = {1, 3};
  must_refuse("it belongs to member 00000000-0000-0001-0000-000000000002");
  fs::remove(*this / "MARKERS");
  must_refuse("it belongs to member");
  options.member = {1, 2};
  must_open();
}

CAF_TEST(another number of shards or type or compression names the knob) {
  must_open();
  options.engine.shards = 3;
  must_refuse("storage.shards is 3, but");
  options.engine.shards = 2;
  options.engine.type = table_type::lsm;
  must_refuse("storage.table-type is lsm, but");
  options.engine.type = table_type::btree;
  options.engine.compressor = compression::snappy;
  must_refuse("storage.compression is snappy, but");
  options.engine.compressor = compression::none;
  must_open();
}

CAF_TEST(flushed commits are there after the process died) {
  in_dying_process([&] {
    auto x = open().release();
    commit(*x, 0, 1);
    commit(*x, 1, 1);
    commit(*x, 0, 2);
    x->engine().flush();
    x->note_flushed({2, 1}, 0);
  });
  auto x = must_open();
  std::string_view value;
  auto s = x->engine().open_session();
  CAF_CHECK(s->get(0, "key2", value) == status::ok);
  CAF_CHECK(s->get(1, "key1", value) == status::ok);
}

CAF_TEST(an engine that holds less than was flushed is refused) {
  in_dying_process([&] {
    auto x = open().release();
    commit(*x, 1, 7);
    x->engine().flush();
    x->note_flushed({0, 7}, 0);
    // As if the flush of commit 8 had been lost again.
    x->note_flushed({0, 8}, 10);
  });
  for (int i = 0; i < 2; ++i)
    must_refuse("acknowledged writes are missing: shard 1 holds commits up to "
                "7, 8 were flushed");
}

CAF_TEST(marks never go back) {
  in_dying_process([&] {
    auto x = open().release();
    x->note_flushed({5, 0}, 0);
    x->note_flushed({4, 0}, 10);
  });
  must_refuse("shard 0 holds commits up to 0, 5 were flushed");
}

CAF_TEST(an engine from before the last run is refused) {
  must_open();
  fs::copy(options.engine.directory, directory / "old",
           fs::copy_options::recursive);
  must_open();
  fs::copy_file(*this / "MARKERS", directory / "old/MARKERS",
                fs::copy_options::overwrite_existing);
  fs::remove_all(options.engine.directory);
  fs::rename(directory / "old", options.engine.directory);
  must_refuse("the store knows runs up to 1000, run 1001 was the last one");
}

CAF_TEST(a crash between the marks inside and outside is survived) {
  // At the first start, and at a later one.
  must_open();
  fs::remove(*this / "MARKERS");
  CAF_CHECK_EQUAL(must_open()->run(), 1001u);
  fs::copy_file(*this / "MARKERS", directory / "MARKERS");
  CAF_CHECK_EQUAL(must_open()->run(), 1002u);
  fs::copy_file(directory / "MARKERS", *this / "MARKERS",
                fs::copy_options::overwrite_existing);
  auto x = must_open();
  CAF_CHECK_EQUAL(x->previous_run(), 1002u);
  CAF_CHECK_EQUAL(x->run(), 1003u);
}

CAF_TEST(lost marks of a store with commits are refused) {
  auto x = must_open();
  commit(*x, 0, 1);
  x->close();
  fs::remove(*this / "MARKERS");
  must_refuse("the file MARKERS is missing");
}

CAF_TEST(damaged marks are refused) {
  must_open();
  fs::resize_file(*this / "MARKERS", 100);
  must_refuse("MARKERS is damaged in both copies");
}

CAF_TEST(missing files of the engine are refused and nothing is created) {
  for (const auto* name :
       {"WiredTiger.turtle", "WiredTiger.wt", "WiredTiger", "data.1.wt",
        "system.wt", "LAYOUT", "WiredTigerLog.0000000001"}) {
    must_open();
    CAF_REQUIRE(fs::remove(*this / name));
    must_refuse(name == std::string{"WiredTigerLog.0000000001"}
                  ? "WiredTigerLog.* is missing"
                  : *this / name + " is missing");
    CAF_CHECK(!fs::exists(*this / name));
    fs::remove_all(options.engine.directory);
  }
}

CAF_TEST(a store without its turtle is refused even if the marks are gone) {
  must_open();
  fs::remove(*this / "MARKERS");
  fs::remove(*this / "WiredTiger.turtle");
  must_refuse("WiredTiger.turtle is missing");
}

CAF_TEST(a foreign database is left alone) {
  must_open();
  fs::remove(*this / "MARKERS");
  fs::remove(*this / "LAYOUT");
  must_refuse("holds a WiredTiger database that is not covey's");
}

CAF_TEST(a path that is a file is refused) {
  fs::create_directories(directory / "below");
  CAF_REQUIRE(replace_file(options.engine.directory, "x", error));
  must_refuse("is not a directory");
  options.engine.directory += "/deeper";
  must_refuse("cannot create the directory");
}

CAF_TEST(closing twice is closing) {
  auto x = must_open();
  x->close();
  x->close();
}

CAF_TEST(without fsync the flush says what reached the disk) {
  options.engine.fsync = false;
  auto x = must_open();
  // Opening synced just now, so this flush only writes.
  commit(*x, 0, 1);
  bool synced = x->engine().flush();
  CAF_CHECK(!synced);
  for (int polls = 0; !synced && polls < 1000; ++polls) {
    ::usleep(10000);
    synced = x->engine().flush();
  }
  CAF_CHECK(synced);
}

CAF_TEST_FIXTURE_SCOPE_END()
