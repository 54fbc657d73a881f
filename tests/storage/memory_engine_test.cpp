#define CAF_SUITE storage.memory_engine

#include "storage/memory_engine.hpp"

#include <caf/test/unit_test.hpp>

using namespace covey::storage;

namespace {

struct fixture {
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  std::unique_ptr<memory_engine> store = std::make_unique<memory_engine>(disk);

  /// What put and commit answer for one row.
  std::pair<status, status> write(const std::string& key) {
    auto s = store->open_session();
    s->begin();
    auto put = s->put(0, key, "v");
    return {put, s->commit()};
  }

  status read(const std::string& key) {
    auto s = store->open_session();
    std::string_view value;
    return s->get(0, key, value);
  }

  void crash() {
    store = nullptr;
    store = std::make_unique<memory_engine>(disk);
  }
};

constexpr std::pair<status, status> done{status::ok, status::ok};

} // namespace

CAF_TEST_FIXTURE_SCOPE(memory_engine_tests, fixture)

CAF_TEST(a crash forgets exactly what was not flushed) {
  CAF_CHECK(write("one") == done);
  CAF_CHECK_EQUAL(store->unflushed(), 1u);
  store->flush();
  CAF_CHECK_EQUAL(store->unflushed(), 0u);
  CAF_CHECK(write("two") == done);
  auto s = store->open_session();
  s->begin();
  s->remove(0, "one");
  s->commit();
  CAF_CHECK_EQUAL(store->unflushed(), 2u);
  s.reset();
  crash();
  CAF_CHECK(read("one") == status::ok);
  CAF_CHECK(read("two") == status::not_found);
}

CAF_TEST(an open transaction is not flushed) {
  auto s = store->open_session();
  s->begin();
  s->put(0, "k", "v");
  store->flush();
  CAF_CHECK_EQUAL(disk->durable[0].size(), 0u);
  s->commit();
  store->flush();
  CAF_CHECK_EQUAL(disk->durable[0].size(), 1u);
}

CAF_TEST(a checkpoint makes commits durable too) {
  write("k");
  store->checkpoint();
  crash();
  CAF_CHECK(read("k") == status::ok);
}

CAF_TEST(as many commits fail as were asked for and leave nothing) {
  store->fail_commits(2);
  CAF_CHECK(write("one").second == status::failed);
  CAF_CHECK(write("two").second == status::failed);
  CAF_CHECK(write("three") == done);
  CAF_CHECK(read("one") == status::not_found);
  CAF_CHECK(read("three") == status::ok);
}

CAF_TEST(a full disk refuses writes and removals but not reads) {
  write("k");
  store->set_disk_full(true);
  CAF_CHECK(store->disk_is_full());
  CAF_CHECK(write("other")
            == (std::pair{status::disk_full, status::disk_full}));
  auto s = store->open_session();
  s->begin();
  CAF_CHECK(s->remove(0, "k") == status::disk_full);
  s->rollback();
  CAF_CHECK(read("k") == status::ok);
  store->set_disk_full(false);
  CAF_CHECK(write("other") == done);
}

CAF_TEST(a session may outlive its engine by accident) {
  auto s = store->open_session();
  s->begin();
  s->put(0, "k", "v");
  crash();
  s.reset();
  CAF_CHECK(write("k") == done);
}

CAF_TEST(a failed read is no absence and fails its transaction) {
  CAF_CHECK(write("one") == done);
  store->fail_reads(1);
  CAF_CHECK(read("one") == status::failed);
  CAF_CHECK(read("one") == status::ok);
  auto s = store->open_session();
  std::string_view value;
  s->begin();
  store->fail_reads(1);
  CAF_CHECK(s->get(0, "one", value) == status::failed);
  CAF_CHECK(s->put(0, "one", "other") == status::failed);
  CAF_CHECK(s->commit() == status::failed);
  CAF_CHECK(s->get(0, "one", value) == status::ok);
  CAF_CHECK_EQUAL(value, "v");
}

CAF_TEST_FIXTURE_SCOPE_END()
