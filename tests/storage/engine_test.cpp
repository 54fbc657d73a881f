// One suite for every engine: what `engine.hpp` promises.

#define CAF_SUITE storage.engine

#include "storage/engine.hpp"
#include "storage/memory_engine.hpp"
#include "storage/wiredtiger_engine.hpp"
#include "tests/storage/temporary_directory.hpp"

#include <caf/test/unit_test.hpp>

#include <atomic>
#include <map>
#include <random>
#include <set>
#include <thread>

using namespace covey::storage;

namespace {

using rows = std::vector<std::pair<std::string, std::string>>;

/// An engine under test that can be stopped and opened again.
struct subject {
  std::string name;
  std::function<std::unique_ptr<engine>()> open;
  std::unique_ptr<engine> store;

  void reopen() {
    store.reset();
    store = open();
  }
};

subject memory() {
  auto disk = std::make_shared<memory_disk>();
  disk->shards = 2;
  return {"memory",
          [disk] {
            return std::make_unique<memory_engine>(disk);
          },
          nullptr};
}

subject wiredtiger(const std::string& name, const std::string& directory,
                   table_type type, compression compressor) {
  wiredtiger_options options;
  options.directory = directory + "/" + name;
  options.shards = 2;
  options.cache_mb = 50;
  options.type = type;
  options.compressor = compressor;
  options.min_free_mb = 0;
  return {name,
          [options] {
            std::string error;
            auto result = open_wiredtiger(options, error);
            CAF_REQUIRE_EQUAL(error, "");
            return result;
          },
          nullptr};
}

/// Runs `property` on a new engine of each kind.
void on_every_engine(const std::function<void(subject&)>& property) {
  test::temporary_directory directory;
  const auto& path = directory.path();
  subject subjects[] = {
    memory(),
    wiredtiger("btree", path, table_type::btree, compression::none),
    wiredtiger("btree-snappy", path, table_type::btree, compression::snappy),
    wiredtiger("lsm", path, table_type::lsm, compression::none),
    wiredtiger("lsm-snappy", path, table_type::lsm, compression::snappy),
  };
  for (auto& x : subjects) {
    CAF_MESSAGE("engine: " << x.name);
    x.store = x.open();
    property(x);
    x.store.reset();
  }
}

/// What is stored under `key`, or the status in angle brackets.
std::string read(session& from, table_id table, const std::string& key) {
  std::string_view value;
  auto code = from.get(table, key, value);
  if (code != status::ok)
    return std::string{"<"} + to_string(code) + ">";
  return std::string{value};
}

void write(session& to, table_id table, const std::string& key,
           const std::string& value) {
  CAF_REQUIRE(to.begin() == status::ok);
  CAF_REQUIRE(to.put(table, key, value) == status::ok);
  CAF_REQUIRE(to.commit() == status::ok);
}

rows scan(session& in, table_id table, const std::string& from,
          const std::string& to, size_t limit = SIZE_MAX) {
  rows result;
  auto code = in.scan(table, from, to,
                      [&](std::string_view key, std::string_view value) {
                        result.emplace_back(key, value);
                        return result.size() < limit;
                      });
  CAF_REQUIRE(code == status::ok);
  return result;
}

} // namespace

CAF_TEST(a committed row is read by every session) {
  on_every_engine([](subject& x) {
    auto one = x.store->open_session();
    auto two = x.store->open_session();
    CAF_CHECK_EQUAL(read(*one, 0, "k"), "<not_found>");
    write(*one, 0, "k", "v");
    CAF_CHECK_EQUAL(read(*one, 0, "k"), "v");
    CAF_CHECK_EQUAL(read(*two, 0, "k"), "v");
  });
}

CAF_TEST(tables do not share keys) {
  on_every_engine([](subject& x) {
    CAF_CHECK_EQUAL(x.store->shards(), 2u);
    auto s = x.store->open_session();
    write(*s, 0, "k", "zero");
    write(*s, 1, "k", "one");
    write(*s, system_table, "k", "system");
    CAF_CHECK_EQUAL(read(*s, 0, "k"), "zero");
    CAF_CHECK_EQUAL(read(*s, 1, "k"), "one");
    CAF_CHECK_EQUAL(read(*s, system_table, "k"), "system");
    CAF_CHECK_EQUAL(scan(*s, 1, "", ""), (rows{{"k", "one"}}));
  });
}

CAF_TEST(a transaction sees its own writes and nobody else does before commit) {
  on_every_engine([](subject& x) {
    auto writer = x.store->open_session();
    auto reader = x.store->open_session();
    write(*writer, 0, "old", "1");
    CAF_REQUIRE(writer->begin() == status::ok);
    CAF_REQUIRE(writer->put(0, "new", "2") == status::ok);
    CAF_REQUIRE(writer->put(system_table, "new", "3") == status::ok);
    CAF_REQUIRE(writer->remove(0, "old") == status::ok);
    CAF_CHECK_EQUAL(read(*writer, 0, "new"), "2");
    CAF_CHECK_EQUAL(read(*writer, 0, "old"), "<not_found>");
    CAF_CHECK_EQUAL(read(*reader, 0, "new"), "<not_found>");
    CAF_CHECK_EQUAL(read(*reader, 0, "old"), "1");
    CAF_CHECK_EQUAL(scan(*reader, 0, "", ""), (rows{{"old", "1"}}));
    CAF_REQUIRE(writer->commit() == status::ok);
    CAF_CHECK_EQUAL(read(*reader, system_table, "new"), "3");
    CAF_CHECK_EQUAL(scan(*reader, 0, "", ""), (rows{{"new", "2"}}));
  });
}

CAF_TEST(a rolled back or abandoned transaction leaves nothing) {
  on_every_engine([](subject& x) {
    auto s = x.store->open_session();
    write(*s, 0, "k", "kept");
    CAF_REQUIRE(s->begin() == status::ok);
    CAF_REQUIRE(s->put(0, "k", "undone") == status::ok);
    s->rollback();
    s->rollback();
    CAF_CHECK_EQUAL(read(*s, 0, "k"), "kept");
    CAF_REQUIRE(s->begin() == status::ok);
    CAF_REQUIRE(s->remove(0, "k") == status::ok);
    s.reset();
    s = x.store->open_session();
    CAF_CHECK_EQUAL(read(*s, 0, "k"), "kept");
    write(*s, 0, "k", "again");
    CAF_CHECK_EQUAL(read(*s, 0, "k"), "again");
  });
}

CAF_TEST(put overwrites and remove tolerates what is missing) {
  on_every_engine([](subject& x) {
    auto s = x.store->open_session();
    write(*s, 0, "k", "first and longer");
    write(*s, 0, "k", "second");
    CAF_CHECK_EQUAL(read(*s, 0, "k"), "second");
    for (int i = 0; i < 2; ++i) {
      CAF_REQUIRE(s->begin() == status::ok);
      CAF_CHECK(s->remove(0, "k") == status::ok);
      CAF_CHECK(s->remove(0, "never there") == status::ok);
      CAF_CHECK(s->commit() == status::ok);
      CAF_CHECK_EQUAL(read(*s, 0, "k"), "<not_found>");
    }
  });
}

CAF_TEST(the second of two transactions that write a row fails) {
  on_every_engine([](subject& x) {
    auto one = x.store->open_session();
    auto two = x.store->open_session();
    CAF_REQUIRE(one->begin() == status::ok);
    CAF_REQUIRE(two->begin() == status::ok);
    CAF_REQUIRE(two->put(0, "other", "2") == status::ok);
    CAF_REQUIRE(one->put(0, "k", "1") == status::ok);
    CAF_CHECK(two->put(0, "k", "2") == status::failed);
    CAF_CHECK(two->put(0, "third", "2") == status::failed);
    CAF_CHECK(two->commit() == status::failed);
    // Nor may one commit whose only write failed.
    CAF_REQUIRE(two->begin() == status::ok);
    CAF_CHECK(two->remove(0, "k") == status::failed);
    CAF_CHECK(two->commit() == status::failed);
    CAF_CHECK(one->commit() == status::ok);
    CAF_CHECK_EQUAL(scan(*two, 0, "", ""), (rows{{"k", "1"}}));
    write(*two, 0, "k", "later");
    CAF_CHECK_EQUAL(read(*one, 0, "k"), "later");
  });
}

CAF_TEST(a scan visits a half open range in byte order) {
  on_every_engine([](subject& x) {
    auto s = x.store->open_session();
    CAF_CHECK(scan(*s, 0, "", "").empty());
    CAF_CHECK(scan(*s, 0, "a", "z").empty());
    const std::string high{"\xff"};
    const std::string zero{"b\0", 2};
    for (const auto& key :
         {high, std::string{"c"}, zero, std::string{"a"}, std::string{"b"}})
      write(*s, 0, key, "v");
    CAF_CHECK_EQUAL(
      scan(*s, 0, "", ""),
      (rows{{"a", "v"}, {"b", "v"}, {zero, "v"}, {"c", "v"}, {high, "v"}}));
    CAF_CHECK_EQUAL(scan(*s, 0, "b", "c"), (rows{{"b", "v"}, {zero, "v"}}));
    CAF_CHECK_EQUAL(scan(*s, 0, "aa", "b"), rows{});
    CAF_CHECK_EQUAL(scan(*s, 0, "bb", ""), (rows{{"c", "v"}, {high, "v"}}));
    CAF_CHECK_EQUAL(scan(*s, 0, "", "", 1), (rows{{"a", "v"}}));
    CAF_CHECK_EQUAL(scan(*s, 0, "\xff\xff", ""), rows{});
  });
}

CAF_TEST(keys of 1034 bytes and values of every size come back whole) {
  on_every_engine([](subject& x) {
    auto s = x.store->open_session();
    auto key = std::string(1034, '\0');
    for (size_t size : {size_t{0}, size_t{1}, size_t{4095}, size_t{10240},
                        size_t{1} << 20, size_t{8} << 20}) {
      std::string value(size, 'x');
      for (size_t i = 0; i < size; i += 100)
        value[i] = static_cast<char>(i / 100);
      key.back() = static_cast<char>(size % 251);
      write(*s, 0, key, value);
      CAF_CHECK(read(*s, 0, key) == value);
    }
    std::vector<std::string> keys;
    for (int i = 0; i < 500; ++i) {
      keys.push_back(std::string(1030, 'k') + std::to_string(1000 + i));
      write(*s, 1, keys.back(), "v");
    }
    x.store->checkpoint();
    auto found = scan(*s, 1, "", "");
    CAF_REQUIRE_EQUAL(found.size(), keys.size());
    for (size_t i = 0; i < keys.size(); ++i)
      CAF_REQUIRE_EQUAL(found[i].first, keys[i]);
  });
}

CAF_TEST(a value stays valid until the next call of its session) {
  on_every_engine([](subject& x) {
    auto reader = x.store->open_session();
    auto writer = x.store->open_session();
    write(*writer, 0, "k", "before");
    std::string_view value;
    CAF_REQUIRE(reader->get(0, "k", value) == status::ok);
    write(*writer, 0, "k", "after!");
    x.store->checkpoint();
    CAF_CHECK_EQUAL(value, "before");
  });
}

CAF_TEST(what was flushed is there after reopening) {
  on_every_engine([](subject& x) {
    auto s = x.store->open_session();
    write(*s, 0, "k", "v");
    write(*s, system_table, "k", "w");
    CAF_CHECK(x.store->flush());
    s.reset();
    x.reopen();
    s = x.store->open_session();
    CAF_CHECK_EQUAL(read(*s, 0, "k"), "v");
    CAF_CHECK_EQUAL(read(*s, system_table, "k"), "w");
  });
}

CAF_TEST(sessions read and flush from other threads beside a writer) {
  on_every_engine([](subject& x) {
    constexpr int last = 300;
    std::atomic<bool> stop{false};
    std::atomic<int> steps_back{0};
    // No checks in here: the test framework knows one thread only.
    std::thread reader{[&] {
      auto s = x.store->open_session();
      size_t longest = 0;
      auto look = [&](std::string_view, std::string_view value) {
        if (value.size() < longest)
          ++steps_back;
        longest = value.size();
        return true;
      };
      while (!stop) {
        auto value = read(*s, 0, "a");
        if (value != "<not_found>")
          look("a", value);
        s->scan(0, "", "", look);
      }
    }};
    std::thread flusher{[&] {
      while (!stop)
        x.store->flush();
    }};
    {
      auto s = x.store->open_session();
      for (int i = 0; i <= last; ++i)
        write(*s, 0, "a", std::string(static_cast<size_t>(100 + i), 'v'));
    }
    stop = true;
    reader.join();
    flusher.join();
    CAF_CHECK_EQUAL(steps_back.load(), 0);
    auto s = x.store->open_session();
    CAF_CHECK_EQUAL(read(*s, 0, "a").size(), size_t{100 + last});
  });
}

CAF_TEST(statistics have distinct names in a stable order) {
  on_every_engine([](subject& x) {
    auto names = [&] {
      std::vector<std::string> result;
      for (const auto& entry : x.store->read_statistics())
        result.push_back(entry.first);
      return result;
    };
    auto first = names();
    CAF_CHECK(first.size() >= 3);
    CAF_CHECK_EQUAL(first, names());
    CAF_CHECK_EQUAL(std::set<std::string>(first.begin(), first.end()).size(),
                    first.size());
    for (const auto& name : first)
      CAF_CHECK_EQUAL(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"),
                      std::string::npos);
  });
}

CAF_TEST(random transactions agree with a map) {
  on_every_engine([](subject& x) {
    std::mt19937_64 random{20240607};
    auto pick = [&](uint64_t n) {
      return random() % n;
    };
    std::map<std::string, std::string> model[2];
    auto s = x.store->open_session();
    for (int round = 0; round < 300; ++round) {
      auto draft0 = model[0];
      auto draft1 = model[1];
      CAF_REQUIRE(s->begin() == status::ok);
      for (auto n = pick(8) + 1; n > 0; --n) {
        table_id table = pick(2);
        auto& draft = table == 0 ? draft0 : draft1;
        auto key = "key" + std::to_string(pick(60));
        if (pick(4) == 0) {
          CAF_REQUIRE(s->remove(table, key) == status::ok);
          draft.erase(key);
        } else {
          auto value = std::to_string(random()) + std::string(pick(300), '.');
          CAF_REQUIRE(s->put(table, key, value) == status::ok);
          draft[key] = value;
        }
        auto probe = "key" + std::to_string(pick(60));
        auto expected = draft.find(probe);
        CAF_REQUIRE_EQUAL(read(*s, table, probe), expected == draft.end()
                                                    ? "<not_found>"
                                                    : expected->second);
      }
      if (pick(4) == 0) {
        s->rollback();
      } else {
        CAF_REQUIRE(s->commit() == status::ok);
        model[0] = std::move(draft0);
        model[1] = std::move(draft1);
      }
      auto from = "key" + std::to_string(pick(60));
      rows expected{model[0].lower_bound(from), model[0].end()};
      CAF_REQUIRE_EQUAL(scan(*s, 0, from, ""), expected);
      if (round % 100 == 99) {
        x.store->flush();
        s.reset();
        x.reopen();
        s = x.store->open_session();
      }
    }
  });
}
