// What anti-entropy says arrives as it was said, or not at all.

#define CAF_SUITE messages.exchange

#include "core/slot.hpp"
#include "messages/exchange.hpp"
#include "messages/peer.pb.h"

#include <caf/test/unit_test.hpp>

#include <functional>
#include <random>

using namespace covey;

namespace {

using kind = core::question_kind;

exchange_ask ask_of(kind what) {
  exchange_ask result;
  result.exchange = 11;
  result.question.id = 12;
  result.question.kind = what;
  if (what == kind::sums || what == kind::roots) {
    result.question.ranges = {{0, 63}, {64, 64}, {16'000, 16'383}};
  } else if (what == kind::leaves) {
    result.question.parts = {{5, 3, {}, {}, {}}, {16'383, 1, {}, {}, {}}};
  } else {
    result.question.parts = {{5, 3, {0, 7}, {}, "after"}};
    if (what == kind::versions)
      result.question.parts[0].keys = {1, 1ull << 63};
  }
  return result;
}

bool same(const core::exchange_question& x, const core::exchange_question& y) {
  auto same_part = [](const auto& a, const auto& b) {
    return a.slot == b.slot && a.depth == b.depth && a.leaves == b.leaves
           && a.keys == b.keys && a.after == b.after;
  };
  auto same_range = [](const auto& a, const auto& b) {
    return a.first == b.first && a.last == b.last;
  };
  return x.id == y.id && x.kind == y.kind
         && std::equal(x.ranges.begin(), x.ranges.end(), y.ranges.begin(),
                       y.ranges.end(), same_range)
         && std::equal(x.parts.begin(), x.parts.end(), y.parts.begin(),
                       y.parts.end(), same_part);
}

/// A question that is sound but for what `spoil` does to it.
bool taken(kind what, const std::function<void(wire::ExchangeAsk&)>& spoil) {
  wire::ExchangeAsk message;
  message.ParseFromString(serialize(ask_of(what)));
  spoil(message);
  return parse_exchange_ask(message.SerializeAsString()).has_value();
}

} // namespace

CAF_TEST(questions arrive as they were asked) {
  for (auto what :
       {kind::sums, kind::roots, kind::leaves, kind::keys, kind::versions}) {
    auto out = ask_of(what);
    auto in = parse_exchange_ask(serialize(out));
    CAF_REQUIRE(in);
    CAF_CHECK_EQUAL(in->exchange, 11u);
    CAF_CHECK(!in->begins);
    CAF_CHECK(same(in->question, out.question));
    CAF_CHECK(taken(what, [](auto&) {}));
  }
}

CAF_TEST(the wish to begin arrives) {
  exchange_ask out;
  out.begins = true;
  out.exchange = 3;
  out.group = 0xffffffff;
  out.tree_number = 9;
  out.epoch = {2, 5};
  auto in = parse_exchange_ask(serialize(out));
  CAF_REQUIRE(in && in->begins);
  CAF_CHECK_EQUAL(in->group, 0xffffffff);
  CAF_CHECK_EQUAL(in->tree_number, 9u);
  CAF_CHECK(in->epoch == out.epoch);
}

CAF_TEST(questions about slots and leaves that do not exist are refused) {
  CAF_CHECK(!taken(kind::sums, [](auto& m) {
    m.set_lasts(2, core::slot_count);
  }));
  CAF_CHECK(!taken(kind::sums, [](auto& m) {
    m.set_firsts(1, 63);
  }));
  CAF_CHECK(!taken(kind::sums, [](auto& m) {
    m.set_lasts(2, 15'999);
  }));
  CAF_CHECK(!taken(kind::sums, [](auto& m) {
    m.add_firsts(16'383);
  }));
  CAF_CHECK(!taken(kind::sums, [](auto& m) {
    m.set_kind(static_cast<uint32_t>(kind::keys));
  }));
  CAF_CHECK(!taken(kind::roots, [](auto& m) {
    m.set_kind(6);
  }));
  CAF_CHECK(!taken(kind::roots, [](auto& m) {
    m.clear_firsts();
    m.clear_lasts();
  }));
  CAF_CHECK(!taken(kind::leaves, [](auto& m) {
    m.mutable_parts(0)->set_slot(core::slot_count);
  }));
  CAF_CHECK(!taken(kind::leaves, [](auto& m) {
    m.mutable_parts(0)->set_depth(core::max_exchange_depth + 1);
  }));
  CAF_CHECK(!taken(kind::keys, [](auto& m) {
    m.mutable_parts(0)->set_leaves(1, 8);
  }));
  CAF_CHECK(!taken(kind::keys, [](auto& m) {
    m.mutable_parts(0)->set_leaves(1, 0);
  }));
  CAF_CHECK(!taken(kind::keys, [](auto& m) {
    m.mutable_parts(0)->clear_leaves();
  }));
  CAF_CHECK(!taken(kind::versions, [](auto& m) {
    m.mutable_parts(0)->clear_keys();
  }));
  CAF_CHECK(!taken(kind::versions, [](auto& m) {
    m.mutable_parts(0)->set_keys(0, 1ull << 63);
  }));
}

CAF_TEST(questions that ask for too much are refused) {
  CAF_CHECK(!taken(kind::leaves, [](auto& m) {
    for (size_t i = 0; i < core::max_exchange_parts; ++i)
      *m.add_parts() = m.parts(0);
  }));
  CAF_CHECK(!taken(kind::leaves, [](auto& m) {
    m.mutable_parts(0)->set_depth(core::max_exchange_depth);
  }));
  CAF_CHECK(!taken(kind::versions, [](auto& m) {
    m.mutable_parts(0)->clear_keys();
    for (size_t i = 0; i <= core::max_exchange_keys; ++i)
      m.mutable_parts(0)->add_keys(i);
  }));
  CAF_CHECK(!taken(kind::keys, [](auto& m) {
    m.mutable_parts(0)->set_after(std::string(5'000, 'x'));
  }));
}

CAF_TEST(answers arrive as they were given) {
  exchange_answer out;
  out.exchange = 5;
  out.tree_number = 1;
  out.code = errc::overloaded;
  out.answer.id = 6;
  out.answer.roots = {{true, 3, 77}, {false, 0, 0}};
  core::part_answer leaves;
  leaves.ok = true;
  leaves.sums = {1, 2};
  core::part_answer keys;
  keys.ok = true;
  keys.keys = {{1, 10, 0, {}, {}}, {2, 20, 0, {}, {}}};
  keys.next = "more";
  core::part_answer named;
  named.keys = {{1, 10, 7, "key", "version"}};
  out.answer.parts = {leaves, keys, named};
  auto in = parse_exchange_answer(serialize(out));
  CAF_REQUIRE(in);
  CAF_CHECK_EQUAL(in->exchange, 5u);
  CAF_CHECK(in->code == errc::overloaded);
  CAF_CHECK_EQUAL(in->answer.id, 6u);
  CAF_REQUIRE_EQUAL(in->answer.roots.size(), 2u);
  CAF_CHECK(in->answer.roots[0].ready && !in->answer.roots[1].ready);
  CAF_CHECK_EQUAL(static_cast<int>(in->answer.roots[0].depth), 3);
  CAF_CHECK_EQUAL(in->answer.roots[0].sum, 77u);
  CAF_REQUIRE_EQUAL(in->answer.parts.size(), 3u);
  CAF_CHECK(in->answer.parts[0].sums == leaves.sums);
  CAF_CHECK_EQUAL(in->answer.parts[1].keys[1].version_hash, 20u);
  CAF_CHECK_EQUAL(in->answer.parts[1].next, "more");
  CAF_CHECK(!in->answer.parts[2].ok);
  CAF_CHECK_EQUAL(in->answer.parts[2].keys[0].keyspace, 7u);
  CAF_CHECK_EQUAL(in->answer.parts[2].keys[0].key, "key");
  CAF_CHECK_EQUAL(in->answer.parts[2].keys[0].version, "version");
}

CAF_TEST(answers whose lists do not fit together are refused) {
  wire::ExchangeAnswer sound;
  sound.add_sums(1);
  sound.set_trees("\x80");
  auto* part = sound.add_parts();
  for (uint64_t i = 1; i <= 2; ++i) {
    part->add_key_hashes(i);
    part->add_version_hashes(i);
  }
  auto taken_after = [&](const std::function<void(wire::ExchangeAnswer&)>& f) {
    auto x = sound;
    f(x);
    return parse_exchange_answer(x.SerializeAsString()).has_value();
  };
  CAF_CHECK(taken_after([](auto&) {}));
  CAF_CHECK(!taken_after([](auto& x) {
    x.add_sums(2);
  }));
  CAF_CHECK(!taken_after([](auto& x) {
    x.set_trees("\xff");
  }));
  CAF_CHECK(!taken_after([](auto& x) {
    x.set_code(256);
  }));
  CAF_CHECK(!taken_after([](auto& x) {
    x.mutable_parts(0)->add_key_hashes(3);
  }));
  CAF_CHECK(!taken_after([](auto& x) {
    x.mutable_parts(0)->set_key_hashes(0, 3);
  }));
  CAF_CHECK(!taken_after([](auto& x) {
    x.mutable_parts(0)->add_keys("one name for two keys");
  }));
}

CAF_TEST(what was found equal arrives and overlapping ranges do not ) {
  exchange_end out;
  out.exchange = 4;
  out.over = true;
  out.equal = {{0, 0}, {5, 16'383}};
  auto in = parse_exchange_end(serialize(out));
  CAF_REQUIRE(in);
  CAF_CHECK(in->over);
  CAF_CHECK_EQUAL(in->exchange, 4u);
  CAF_REQUIRE_EQUAL(in->equal.size(), 2u);
  CAF_CHECK_EQUAL(in->equal[1].first, 5u);
  CAF_CHECK_EQUAL(in->equal[1].last, 16'383u);
  out.equal = {{0, 5}, {5, 6}};
  CAF_CHECK(!parse_exchange_end(serialize(out)));
}

CAF_TEST(random bytes are no messages that break anything) {
  std::mt19937_64 random{7};
  auto sound = serialize(ask_of(kind::versions));
  for (int i = 0; i < 20'000; ++i) {
    auto bytes = sound;
    for (int n = 0; n < 3; ++n)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    bytes.resize(random() % (bytes.size() + 1));
    // What is taken for sound can be said again.
    if (auto ask = parse_exchange_ask(bytes))
      CAF_REQUIRE(parse_exchange_ask(serialize(*ask)));
    if (auto answer = parse_exchange_answer(bytes))
      CAF_REQUIRE(parse_exchange_answer(serialize(*answer)));
    if (auto end = parse_exchange_end(bytes))
      CAF_REQUIRE(parse_exchange_end(serialize(*end)));
  }
}
