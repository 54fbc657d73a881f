#define CAF_SUITE core.context

#include "core/bytes.hpp"
#include "core/context.hpp"

#include <caf/test/unit_test.hpp>

#include <random>
#include <set>
#include <string>

using covey::core::byte_reader;
using covey::core::byte_writer;
using covey::core::context;
using covey::core::decode_context;
using covey::core::dot;
using entries = covey::core::context::entries;

namespace {

constexpr uint64_t incs = 3;
constexpr uint64_t counters = 5;

using dots = std::set<dot>;

dots model_of(const context& x) {
  dots result{x.singles().begin(), x.singles().end()};
  for (const auto& top : x.vector())
    for (uint64_t i = 1; i <= top.counter; ++i)
      result.insert({top.inc, i});
  return result;
}

/// A context and the set of dots it must stand for.
struct pair {
  context subject;
  dots model;
};

template <class Engine>
pair random_pair(Engine& engine) {
  pair result;
  for (auto n = engine() % 6; n > 0; --n) {
    dot d{1 + engine() % incs, 1 + engine() % counters};
    if (engine() % 2 == 0) {
      result.subject.add(d);
      result.model.insert(d);
    } else {
      result.subject.advance(d);
      for (uint64_t i = 1; i <= d.counter; ++i)
        result.model.insert({d.inc, i});
    }
  }
  return result;
}

context join(context x, const context& y) {
  x.join(y);
  return x;
}

std::string bytes_of(const context& x) {
  std::string result;
  byte_writer out{result};
  encode(x, out);
  return result;
}

std::string contradiction(const pair& x, const pair& y, const context& z) {
  for (uint64_t inc = 1; inc <= incs; ++inc)
    for (uint64_t i = 1; i <= counters; ++i)
      if (x.subject.covers(dot{inc, i}) != (x.model.count({inc, i}) > 0))
        return "covers a dot";
  auto joined = x.model;
  joined.insert(y.model.begin(), y.model.end());
  if (model_of(join(x.subject, y.subject)) != joined)
    return "join";
  if (x.subject.covers(y.subject) != (joined == x.model))
    return "covers a context";
  if (join(x.subject, x.subject) != x.subject)
    return "idempotent";
  if (join(x.subject, y.subject) != join(y.subject, x.subject))
    return "commutative";
  if (join(join(x.subject, y.subject), z)
      != join(x.subject, join(y.subject, z)))
    return "associative";
  if (context::from_parts(x.subject.vector(), x.subject.singles()) != x.subject)
    return "parts";
  auto bytes = bytes_of(x.subject);
  byte_reader in{bytes};
  if (decode_context(in) != x.subject || !in.done())
    return "bytes";
  return "";
}

} // namespace

CAF_TEST(a single dot claims nothing before it) {
  context x;
  x.add({1, 5});
  CAF_CHECK(x.covers(dot{1, 5}));
  CAF_CHECK(!x.covers(dot{1, 4}));
  CAF_CHECK(!x.covers(dot{1, 6}));
  CAF_CHECK_EQUAL(x.counter(1), 0u);
  CAF_CHECK_EQUAL(x.highest(1), 5u);
}

CAF_TEST(contiguous singles stay single because counters are per shard) {
  context x;
  x.advance({1, 3});
  x.add({1, 4});
  CAF_CHECK((x.vector() == entries{{1, 3}}));
  CAF_CHECK((x.singles() == entries{{1, 4}}));
}

CAF_TEST(a vector entry swallows the singles below it and no others) {
  context x;
  x.add({1, 9});
  x.add({1, 2});
  x.add({2, 2});
  x.advance({1, 5});
  CAF_CHECK((x.vector() == entries{{1, 5}}));
  CAF_CHECK((x.singles() == entries{{1, 9}, {2, 2}}));
  x.add({1, 3});
  CAF_CHECK((x.singles() == entries{{1, 9}, {2, 2}}));
}

CAF_TEST(an older entry or a zero counter changes nothing) {
  context x;
  x.advance({1, 5});
  x.advance({1, 4});
  x.advance({2, 0});
  CAF_CHECK((x.vector() == entries{{1, 5}}));
  CAF_CHECK(context{}.empty());
  CAF_CHECK(!x.empty());
}

CAF_TEST(forgetting an incarnation removes it from both parts) {
  context x;
  x.advance({1, 5});
  x.add({1, 9});
  x.add({2, 9});
  x.forget(1);
  CAF_CHECK(x.vector().empty());
  CAF_CHECK((x.singles() == entries{{2, 9}}));
}

CAF_TEST(limiting singles keeps the largest) {
  context x;
  x.add({1, 1});
  x.add({2, 1});
  x.add({1, 7});
  x.limit_singles(2);
  CAF_CHECK((x.singles() == entries{{1, 7}, {2, 1}}));
  x.limit_singles(5);
  CAF_CHECK_EQUAL(x.singles().size(), 2u);
}

CAF_TEST(parts that break their promises make no context) {
  CAF_CHECK(context::from_parts({{1, 2}, {2, 1}}, {{1, 3}}).has_value());
  CAF_CHECK(!context::from_parts({{2, 1}, {1, 1}}, {}));
  CAF_CHECK(!context::from_parts({{1, 1}, {1, 2}}, {}));
  CAF_CHECK(!context::from_parts({{0, 1}}, {}));
  CAF_CHECK(!context::from_parts({{1, 0}}, {}));
  CAF_CHECK(!context::from_parts({}, {{1, 2}, {1, 2}}));
  CAF_CHECK(!context::from_parts({}, {{1, 2}, {1, 1}}));
  CAF_CHECK(!context::from_parts({}, {{0, 1}}));
  CAF_CHECK(!context::from_parts({{1, 2}}, {{1, 2}}));
}

CAF_TEST(a count beyond the bytes left is refused before memory is taken) {
  for (auto count : {uint64_t{1} << 40, uint64_t{1} << 60}) {
    for (auto prefix : {std::string{}, std::string(1, '\0')}) {
      byte_writer{prefix}.varint(count);
      byte_reader in{prefix};
      CAF_CHECK(!decode_context(in));
    }
  }
}

CAF_TEST(behaves as the set of its dots under 20000 seeds) {
  for (uint64_t seed = 1; seed <= 20000; ++seed) {
    std::mt19937_64 engine{seed};
    auto x = random_pair(engine);
    auto y = random_pair(engine);
    auto wrong = contradiction(x, y, random_pair(engine).subject);
    if (!wrong.empty())
      CAF_FAIL("seed " << seed << " breaks: " << wrong);
  }
}
