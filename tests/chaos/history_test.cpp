// The checker of histories: it accepts what can be explained, and nothing else.

#define CAF_SUITE chaos.history

#include "tests/simulation/history.hpp"

#include <caf/test/unit_test.hpp>

using namespace covey::simulation;

namespace {

/// Writes histories of one key; times are numbers.
struct writer {
  history log;

  size_t put(const std::string& value, uint64_t from, uint64_t to,
             std::set<size_t> replaces = {},
             outcome result = outcome::acknowledged) {
    put_event x;
    x.key = "k";
    x.value = value;
    x.replaces = std::move(replaces);
    x.invoked_us = from;
    x.answered_us = to;
    x.result = result;
    return log.add(std::move(x));
  }
  size_t remove(uint64_t from, uint64_t to, std::set<size_t> replaces,
                outcome result = outcome::acknowledged) {
    auto i = put("delete-" + std::to_string(from), from, to,
                 std::move(replaces), result);
    log.put(i).tombstone = true;
    return i;
  }
  void get(std::vector<std::string> values, uint64_t from, uint64_t to) {
    get_event x;
    x.key = "k";
    x.values = std::move(values);
    x.invoked_us = from;
    x.answered_us = to;
    log.add(std::move(x));
  }
  /// The only complaint has these words.
  bool complains(const std::string& words) const {
    auto lines = log.check();
    for (const auto& line : lines)
      CAF_MESSAGE(line);
    return lines.size() == 1 && lines[0].find(words) != std::string::npos;
  }
  bool is_sound() const {
    return log.check().empty();
  }
};

} // namespace

CAF_TEST(a value that was acknowledged is read) {
  writer w;
  w.put("a", 1, 2);
  w.get({"a"}, 3, 4);
  CAF_CHECK(w.is_sound());
}

CAF_TEST(a lost write is found) {
  writer w;
  w.put("a", 1, 2);
  w.get({}, 3, 4);
  CAF_CHECK(w.complains("misses a, acknowledged"));
}

CAF_TEST(a write that an unrelated one has pushed out is lost) {
  writer w;
  w.put("a", 1, 2);
  w.put("b", 3, 4);
  w.get({"b"}, 5, 6);
  CAF_CHECK(w.complains("misses a, acknowledged"));
}

CAF_TEST(a get that began before the answer may miss the write) {
  writer w;
  w.put("a", 1, 5);
  w.get({}, 4, 6);
  CAF_CHECK(w.is_sound());
}

CAF_TEST(a write of unknown outcome may be missed and may be read) {
  writer w;
  w.put("a", 1, 2, {}, outcome::unknown);
  w.get({}, 3, 4);
  w.get({"a"}, 5, 6);
  CAF_CHECK(w.is_sound());
}

CAF_TEST(a value may be replaced by one that descends from it) {
  writer w;
  auto a = w.put("a", 1, 2);
  auto b = w.put("b", 3, 4, {a}, outcome::unknown);
  w.put("c", 5, 6, {b});
  w.get({"c"}, 7, 8);
  CAF_CHECK(w.is_sound());
}

CAF_TEST(a refused write replaces nothing) {
  writer w;
  auto a = w.put("a", 1, 2);
  w.put("b", 3, 4, {a}, outcome::refused);
  w.get({}, 5, 6);
  CAF_CHECK(w.complains("misses a, acknowledged"));
}

CAF_TEST(a write that came later than the get explains nothing) {
  writer w;
  auto a = w.put("a", 1, 2);
  w.get({}, 3, 4);
  w.remove(5, 6, {a});
  CAF_CHECK(w.complains("misses a, acknowledged"));
}

CAF_TEST(a delete that saw the value explains its absence) {
  writer w;
  auto a = w.put("a", 1, 2);
  w.remove(3, 4, {a}, outcome::unknown);
  w.get({}, 5, 6);
  CAF_CHECK(w.is_sound());
}

CAF_TEST(a delete that has not seen the value takes nothing) {
  writer w;
  w.put("a", 1, 2);
  w.remove(3, 4, {});
  w.get({}, 5, 6);
  CAF_CHECK(w.complains("misses a, acknowledged"));
}

CAF_TEST(a deleted value that comes back is found) {
  writer w;
  auto a = w.put("a", 1, 2);
  w.remove(3, 4, {a});
  w.get({"a"}, 5, 6);
  CAF_CHECK(w.complains("returns a, which delete-3 replaced"));
}

CAF_TEST(a value may still be read while it is being deleted) {
  writer w;
  auto a = w.put("a", 1, 2);
  w.remove(3, 6, {a});
  w.get({"a"}, 4, 5);
  w.get({"a"}, 5, 7);
  CAF_CHECK(w.is_sound());
}

CAF_TEST(a read that goes backwards is found) {
  writer w;
  w.put("a", 1, 2, {}, outcome::unknown);
  w.get({"a"}, 3, 4);
  w.get({}, 5, 6);
  CAF_CHECK(w.complains("goes backwards: it misses a"));
}

CAF_TEST(gets at the same time may see different things) {
  writer w;
  w.put("a", 1, 9, {});
  w.get({"a"}, 3, 6);
  w.get({}, 4, 7);
  CAF_CHECK(w.is_sound());
}

CAF_TEST(a value that nobody wrote is found) {
  writer w;
  w.get({"x"}, 3, 4);
  CAF_CHECK(w.complains("returns x, which nobody wrote"));
}

CAF_TEST(a value that was refused is found) {
  writer w;
  w.put("a", 1, 2, {}, outcome::refused);
  w.get({"a"}, 3, 4);
  CAF_CHECK(w.complains("returns a, which was refused"));
}

CAF_TEST(a value that is there twice is found) {
  writer w;
  w.put("a", 1, 2);
  w.get({"a", "a"}, 3, 4);
  CAF_CHECK(w.complains("returns a twice"));
}

CAF_TEST(concurrent writes stay beside each other) {
  writer w;
  auto a = w.put("a", 1, 2);
  w.put("b", 3, 4, {a});
  w.put("c", 3, 5, {a});
  w.get({"b", "c"}, 6, 7);
  CAF_CHECK(w.is_sound());
}

CAF_TEST(a value beside the one that replaced it is found) {
  writer w;
  auto a = w.put("a", 1, 2);
  w.put("b", 3, 9, {a});
  w.get({"a", "b"}, 5, 6);
  CAF_CHECK(w.complains("returns a beside b, which replaced it"));
}

CAF_TEST(a value beside one that replaced it by way of others is found) {
  writer w;
  auto a = w.put("a", 1, 2);
  auto b = w.put("b", 3, 4, {a}, outcome::unknown);
  w.put("c", 5, 9, {b});
  w.get({"a", "c"}, 6, 7);
  CAF_CHECK(w.complains("returns a beside c, which replaced it"));
}

CAF_TEST(a write that was sent twice may stay beside what replaced it) {
  writer w;
  auto a = w.put("a", 1, 2);
  w.log.put(a).repeated = true;
  w.put("b", 3, 4, {a});
  w.get({"a", "b"}, 5, 6);
  CAF_CHECK(w.is_sound());
}
