#define CAF_SUITE client.client

#include "client/client.hpp"
#include "client/importer.hpp"
#include "client/scanner.hpp"
#include "tests/client/fake_node.hpp"

#include <caf/actor_system.hpp>
#include <caf/io/middleman.hpp>
#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <future>
#include <memory>
#include <set>
#include <stdexcept>
#include <thread>
#include <unistd.h>

using namespace covey;
using test::manner;

namespace {

// A fake node that listens, for as long as this lives.
class running_node {
public:
  explicit running_node(manner how) : system_(config_) {
    node_ = system_.spawn(test::fake_node, how);
    auto port = system_.middleman().publish(node_, 0, "127.0.0.1");
    CAF_REQUIRE(port);
    port_ = *port;
  }

  ~running_node() {
    caf::anon_send_exit(node_, caf::exit_reason::kill);
  }

  client::node_address address() const {
    return {"127.0.0.1", port_};
  }

private:
  test::fake_node_config config_;
  caf::actor_system system_;
  test::fake_node_actor node_;
  uint16_t port_ = 0;
};

struct fixture {
  void start(manner how) {
    node = std::make_unique<running_node>(how);
    client::settings config;
    config.nodes = {node->address()};
    kv = std::make_unique<client::client>(std::move(config));
  }

  client::request_options options;
  std::unique_ptr<running_node> node;
  std::unique_ptr<client::client> kv;
};

template <class Exception, class F>
bool throws(F f) {
  try {
    f();
  } catch (const Exception&) {
    return true;
  }
  return false;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(client_tests, fixture)

CAF_TEST(what is put can be got and removed) {
  start(manner::normal);
  auto put = kv->put("k", std::string{"\0\xff", 2}, options);
  CAF_CHECK(put.ok());
  CAF_CHECK(put.homes);
  CAF_CHECK_EQUAL(put.acked, 3u);
  auto got = kv->get("k", options);
  CAF_CHECK(got.ok());
  CAF_CHECK(got.values == std::vector<std::string>{std::string("\0\xff", 2)});
  options.context = got.context;
  CAF_CHECK(kv->remove("k", options).ok());
  CAF_CHECK(kv->get("k", options).values.empty());
}

CAF_TEST(errors of the node arrive) {
  start(manner::normal);
  options.keyspace = "other";
  auto put = kv->put("k", "v", options);
  CAF_CHECK(put.code == errc::unknown_keyspace);
  CAF_CHECK_EQUAL(put.text, "no keyspace 'other'");
  CAF_CHECK(!put.maybe_written);
}

CAF_TEST(status and ring and scan are answered) {
  start(manner::normal);
  CAF_CHECK_EQUAL(kv->status(options).members_size(), 3);
  CAF_CHECK_EQUAL(kv->ring("k", options).homes_size(), 2);
  for (auto key : {"a", "b", "c"})
    CAF_CHECK(kv->put(key, std::string(1000, 'v'), options).ok());
  client::scan_options how;
  how.page_bytes = 1500;
  auto page = kv->scan({}, how);
  CAF_REQUIRE_EQUAL(page.entries.size(), 2u);
  CAF_CHECK_EQUAL(page.next.after_key, "b");
  page = kv->scan(page.next, how);
  CAF_REQUIRE_EQUAL(page.entries.size(), 1u);
  CAF_CHECK(page.next.at_end());
}

CAF_TEST(a scanner goes through all pages and begins again where it was) {
  start(manner::normal);
  for (int i = 0; i < 20; ++i)
    kv->put("k" + std::to_string(i), std::string(500, 'v'), options);
  client::scan_options how;
  how.page_bytes = 1500;
  std::set<std::string> keys;
  client::scan_page page;
  client::scan_cursor middle;
  client::scanner first{*kv, how};
  for (int i = 0; i < 3; ++i) {
    CAF_REQUIRE(first.next(page));
    for (auto& entry : page.entries)
      CAF_CHECK(keys.insert(entry.key).second);
    middle = first.cursor();
  }
  first.cancel();
  CAF_CHECK(!first.next(page));
  CAF_CHECK(first.cursor() == middle);
  CAF_CHECK(keys.size() > 3 && keys.size() < 20);
  client::scanner rest{*kv, how, middle};
  while (rest.next(page))
    for (auto& entry : page.entries)
      CAF_CHECK(keys.insert(entry.key).second);
  CAF_CHECK(rest.cursor().at_end());
  CAF_CHECK_EQUAL(keys.size(), 20u);
}

CAF_TEST(a scan with a prefix leaves out other keys) {
  start(manner::normal);
  for (auto key : {"a1", "b1", "b2", "c1"})
    kv->put(key, "v", options);
  client::scan_options how;
  how.prefix = "b";
  auto page = kv->scan({}, how);
  CAF_REQUIRE_EQUAL(page.entries.size(), 2u);
  CAF_CHECK_EQUAL(page.entries[0].key, "b1");
}

CAF_TEST(a page with an error is the last one of its scanner) {
  start(manner::normal);
  client::scan_options how;
  how.request.keyspace = "other";
  client::scanner pages{*kv, how};
  client::scan_page page;
  CAF_REQUIRE(pages.next(page));
  CAF_CHECK(page.code == errc::unknown_keyspace);
  CAF_CHECK(!pages.next(page));
}

CAF_TEST(many gets and puts answer in their order) {
  start(manner::normal);
  std::vector<client::write> writes;
  for (int i = 0; i < 10; ++i)
    writes.push_back({"k" + std::to_string(i), std::to_string(i), "", false});
  for (auto& r : kv->multi_put(writes, options))
    CAF_CHECK(r.ok());
  auto got = kv->multi_get({"k7", "none", "k2"}, options);
  CAF_REQUIRE_EQUAL(got.size(), 3u);
  CAF_CHECK(got[0].values == std::vector<std::string>{"7"});
  CAF_CHECK(got[1].ok() && got[1].values.empty());
  CAF_CHECK(got[2].values == std::vector<std::string>{"2"});
  auto removed = kv->multi_put({{"k7", "", got[0].context, true}}, options);
  CAF_CHECK(removed.at(0).ok());
  CAF_CHECK(kv->get("k7", options).values.empty());
  CAF_CHECK(kv->multi_get({}, options).empty());
}

CAF_TEST(one write that fails is told beside those that do not ) {
  start(manner::normal);
  auto results = kv->multi_put(
    {{"big", std::string(2 << 20, 'v'), "", false}, {"small", "v", "", false}},
    options);
  CAF_CHECK(results[0].code == errc::value_too_large);
  CAF_CHECK(results[1].ok());
}

CAF_TEST(siblings are resolved if somebody says how) {
  start(manner::normal);
  kv->put("cart", "apples", options);
  kv->put("cart", "pears", options);
  CAF_CHECK_EQUAL(kv->get("cart", options).values.size(), 2u);
  auto join = [](std::vector<std::string>&& values) {
    std::sort(values.begin(), values.end());
    std::string result;
    for (auto& value : values)
      result += (result.empty() ? "" : "+") + value;
    return result;
  };
  options.resolve = join;
  auto got = kv->get("cart", options);
  CAF_REQUIRE_EQUAL(got.values.size(), 1u);
  CAF_CHECK_EQUAL(got.values[0], "apples+pears");
  options.resolve = nullptr;
  auto updated = kv->update(
    "cart",
    [&](std::vector<std::string>&& values) {
      values.push_back("plums");
      return join(std::move(values));
    },
    options);
  CAF_CHECK(updated.ok());
  got = kv->get("cart", options);
  CAF_REQUIRE_EQUAL(got.values.size(), 1u);
  CAF_CHECK_EQUAL(got.values[0], "apples+pears+plums");
  options.keyspace = "other";
  CAF_CHECK(kv->update("cart", join, options).code == errc::unknown_keyspace);
}

CAF_TEST(who waits for a get resolves its siblings himself) {
  start(manner::normal);
  for (auto value : {"apples", "pears"})
    kv->put("cart", value, options);
  auto here = std::this_thread::get_id();
  auto asks = options;
  asks.resolve = [&](std::vector<std::string>&& values) {
    CAF_CHECK(std::this_thread::get_id() == here);
    return values.at(0);
  };
  CAF_CHECK_EQUAL(kv->get("cart", asks).values.size(), 1u);
  CAF_CHECK_EQUAL(kv->multi_get({"cart"}, asks).at(0).values.size(), 1u);
  asks.resolve = [](std::vector<std::string>&&) -> std::string {
    throw std::runtime_error{"cannot merge these"};
  };
  CAF_CHECK(throws<std::runtime_error>([&] {
    kv->get("cart", asks);
  }));
  CAF_CHECK_EQUAL(kv->get("cart", options).values.size(), 2u);
}

CAF_TEST(a client without nodes is not made) {
  CAF_CHECK(throws<std::invalid_argument>([] {
    client::client{client::settings{}};
  }));
}

CAF_TEST(times that are too long or too short mean what they say) {
  start(manner::normal);
  options.timeout = std::chrono::milliseconds::max();
  CAF_CHECK(kv->put("k", "v", options).ok());
  options.time_to_live = std::chrono::milliseconds{-5};
  CAF_CHECK(kv->put("expired", "v", options).ok());
  CAF_CHECK(kv->get("expired", options).values.empty());
  options.timeout = std::chrono::milliseconds::min();
  auto r = kv->put("k", "v", options);
  CAF_CHECK(r.code == errc::deadline_expired);
  CAF_CHECK(!r.maybe_written);
}

CAF_TEST(a scan that goes in circles ends with an error) {
  start(manner::circling);
  kv->put("k", "v", options);
  client::scanner pages{*kv, {}};
  client::scan_page page;
  CAF_REQUIRE(pages.next(page));
  CAF_CHECK(page.code == errc::bad_message);
  CAF_CHECK(!pages.next(page));
}

CAF_TEST(a port where nobody listens is named with the reason) {
  uint16_t port = 0;
  {
    running_node gone{manner::normal};
    port = gone.address().port;
  }
  client::settings config;
  config.nodes = {{"127.0.0.1", port}};
  client::client lonely{std::move(config)};
  options.timeout = std::chrono::milliseconds{150};
  auto put = lonely.put("k", "v", options);
  CAF_CHECK(put.code == errc::unavailable);
  CAF_CHECK(!put.maybe_written);
  CAF_CHECK_EQUAL(put.text, "no connection to 127.0.0.1:" + std::to_string(port)
                              + " (connection refused)");
}

CAF_TEST(closing the client answers what is in flight) {
  start(manner::mute);
  std::promise<client::result> answer;
  kv->put("k", "v", options, [&](client::result&& r) {
    answer.set_value(std::move(r));
  });
  kv.reset();
  CAF_CHECK(answer.get_future().get().code == errc::shutting_down);
}

CAF_TEST(request ids do not repeat) {
  start(manner::mute);
  std::set<core::request_id> ids;
  for (int i = 0; i < 1000; ++i)
    ids.insert(kv->new_request_id());
  CAF_CHECK_EQUAL(ids.size(), 1000u);
}

CAF_TEST(an import repeats what was refused and logs what was acknowledged) {
  start(manner::busy);
  char path[] = "/tmp/covey_client_test_XXXXXX";
  CAF_REQUIRE(::close(::mkstemp(path)) == 0);
  client::ack_log log;
  std::string why;
  CAF_REQUIRE(log.open(path, why));
  options.timeout = std::chrono::seconds{60};
  client::importer import{*kv, options, client::import_mode::plain, 16, log};
  client::key_set expected;
  for (int i = 0; i < 200; ++i) {
    while (!import.wait_for_room(100))
      CAF_CHECK(import.work());
    auto key = "k" + std::to_string(i);
    expected.insert(key);
    import.put(key, "v");
  }
  while (!import.idle()) {
    CAF_CHECK(import.work());
    import.wait_for_change(100);
  }
  CAF_CHECK(import.work());
  CAF_CHECK(log.flush());
  CAF_CHECK_EQUAL(import.counts().acknowledged, 200u);
  CAF_CHECK_EQUAL(import.counts().failures(), 0u);
  client::key_set logged;
  CAF_CHECK(client::load_acked(path, logged, why));
  CAF_CHECK(logged == expected);
  ::unlink(path);
}

CAF_TEST(an import counts failures by kind) {
  start(manner::normal);
  options.keyspace = "other";
  client::ack_log log;
  client::importer import{*kv, options, client::import_mode::plain, 4, log};
  for (int i = 0; i < 10; ++i) {
    while (!import.wait_for_room(100))
      CAF_CHECK(import.work());
    import.put("k", "v");
  }
  while (!import.idle())
    import.wait_for_change(100);
  auto counts = import.counts();
  CAF_CHECK_EQUAL(counts.acknowledged, 0u);
  CAF_CHECK_EQUAL(counts.failed[errc::unknown_keyspace], 10u);
  CAF_CHECK_EQUAL(counts.maybe_written, 0u);
  // The news is told once.
  CAF_CHECK_EQUAL(import.take_news().size(), 1u);
}

CAF_TEST(a record that an earlier attempt may have written stays in doubt) {
  start(manner::doubtful);
  client::ack_log log;
  client::importer import{*kv, options, client::import_mode::plain, 4, log};
  import.put("k", "v");
  while (!import.idle()) {
    CAF_CHECK(import.work());
    import.wait_for_change(100);
  }
  auto counts = import.counts();
  CAF_CHECK_EQUAL(counts.failed[errc::disk_full], 1u);
  CAF_CHECK_EQUAL(counts.maybe_written, 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
