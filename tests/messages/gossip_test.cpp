#define CAF_SUITE messages.gossip

#include "messages/gossip.hpp"

#include <caf/test/unit_test.hpp>

#include <random>

using namespace covey;

namespace {

constexpr uint64_t most = (uint64_t{1} << 62) - 1;

core::member_row full_row() {
  core::member_row row;
  row.id = {1, 2};
  row.run = 3;
  row.version = 4;
  row.heartbeat = 5;
  row.unflushed_ms = 6;
  row.load = 7;
  row.catching_up = true;
  row.accuses = {{{8, 9}, 10, 11}};
  return row;
}

} // namespace

CAF_TEST(everything that members tell each other travels) {
  core::gossip_message in;
  in.rows.push_back(full_row());
  in.digests.push_back({{12, 13}, 14, 15});
  auto out = parse_gossip(serialize(in));
  CAF_REQUIRE(out && out->rows.size() == 1 && out->digests.size() == 1);
  const auto& row = out->rows[0];
  CAF_CHECK(row.id == (core::uuid{1, 2}));
  CAF_CHECK_EQUAL(row.run, 3u);
  CAF_CHECK_EQUAL(row.version, 4u);
  CAF_CHECK_EQUAL(row.heartbeat, 5u);
  CAF_CHECK_EQUAL(row.unflushed_ms, 6u);
  CAF_CHECK_EQUAL(row.load, 7u);
  CAF_CHECK(row.catching_up);
  CAF_CHECK(row.accuses == full_row().accuses);
  CAF_CHECK(out->digests[0].id == (core::uuid{12, 13}));
  CAF_CHECK_EQUAL(out->digests[0].run, 14u);
  CAF_CHECK_EQUAL(out->digests[0].version, 15u);
  auto answer = parse_probe_answer(serialize(core::probe_answer{1, 2, 3}));
  CAF_REQUIRE(answer.has_value());
  CAF_CHECK_EQUAL(answer->sequence, 1u);
  CAF_CHECK_EQUAL(answer->run, 2u);
  CAF_CHECK_EQUAL(answer->heartbeat, 3u);
  auto probe = parse_probe(serialize(core::probe{9}));
  CAF_CHECK(probe && probe->sequence == 9);
}

CAF_TEST(numbers that would wrap around are refused) {
  auto refuses = [](auto spoil) {
    core::gossip_message in;
    in.rows.push_back(full_row());
    spoil(in.rows[0]);
    return !parse_gossip(serialize(in));
  };
  CAF_CHECK(refuses([](auto& row) {
    row.run = most + 1;
  }));
  CAF_CHECK(refuses([](auto& row) {
    row.version = most + 1;
  }));
  CAF_CHECK(refuses([](auto& row) {
    row.heartbeat = most + 1;
  }));
  CAF_CHECK(refuses([](auto& row) {
    row.accuses[0].run = most + 1;
  }));
  CAF_CHECK(refuses([](auto& row) {
    row.accuses[0].heartbeat = UINT64_MAX;
  }));
  CAF_CHECK(!parse_probe_answer(serialize(core::probe_answer{1, most + 1, 3})));
  CAF_CHECK(!parse_probe_answer(serialize(core::probe_answer{1, 2, most + 1})));
}

CAF_TEST(the largest message is taken and a larger one is not ) {
  core::gossip_message in;
  auto row = full_row();
  row.accuses.resize(6, row.accuses.front());
  for (auto* x : {&row.run, &row.version, &row.heartbeat, &row.unflushed_ms})
    *x = most;
  for (auto& x : row.accuses)
    x = {{UINT64_MAX, UINT64_MAX}, most, most};
  in.rows.resize(core::max_gossip_rows, row);
  in.digests.resize(core::max_gossip_digests,
                    {{UINT64_MAX, UINT64_MAX}, UINT64_MAX, UINT64_MAX});
  CAF_CHECK(parse_gossip(serialize(in)).has_value());
  auto rows = in;
  rows.rows.push_back(row);
  CAF_CHECK(!parse_gossip(serialize(rows)));
  auto digests = in;
  digests.digests.emplace_back();
  CAF_CHECK(!parse_gossip(serialize(digests)));
  auto accuses = in;
  accuses.rows[0].accuses.emplace_back();
  CAF_CHECK(!parse_gossip(serialize(accuses)));
}

CAF_TEST(damaged bytes are refused or read and never worse) {
  core::gossip_message in;
  in.rows.resize(5, full_row());
  in.digests.resize(5);
  auto bytes = serialize(in);
  std::mt19937_64 random{1};
  size_t refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto damaged = bytes;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    if (random() % 2 == 0)
      damaged.resize(random() % damaged.size());
    refused += parse_gossip(damaged) ? 0 : 1;
    parse_probe(damaged);
    parse_probe_answer(damaged);
  }
  CAF_CHECK(refused > 1000);
  CAF_CHECK(!parse_probe(std::string(1 << 20, '\0')));
}
