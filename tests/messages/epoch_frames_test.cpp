// What epoch keepers say to each other, and what clients ask of them.

#define CAF_SUITE messages.epoch_frames

#include "core/epoch_codec.hpp"
#include "messages/epoch_frames.hpp"
#include "tests/test.hpp"

using namespace covey;
using core::paxos_message;
using core::paxos_verb;

namespace {

const core::ballot low{3, {1, 2}, 9};
const core::ballot high{4, {5, 6}, 7};

bool refused(const paxos_message& x) {
  return !parse_paxos(serialize(x));
}

wire::KeyspaceRequest request() {
  wire::KeyspaceRequest result;
  result.set_name("photos");
  result.set_replication("dc1:2");
  return result;
}

std::string why(const wire::KeyspaceRequest& in) {
  std::string error;
  CAF_CHECK(change_of(in, error).has_value() == error.empty());
  return error;
}

} // namespace

CAF_TEST(votes survive the wire) {
  for (const auto& x :
       {paxos_message{paxos_verb::prepare, {1, 2}, high, {}, {}},
        paxos_message{paxos_verb::accept, {1, 2}, high, {}, "epoch"},
        paxos_message{paxos_verb::promised, {1, 2}, high, low, "epoch"},
        paxos_message{paxos_verb::promised, {1, 2}, high, {}, {}},
        paxos_message{paxos_verb::accepted, {2, 9}, high, {}, {}},
        paxos_message{paxos_verb::refused, {1, 2}, low, high, {}}}) {
    auto y = parse_paxos(serialize(x));
    CAF_REQUIRE(y.has_value());
    CAF_CHECK(y->verb == x.verb);
    CAF_CHECK(y->instance == x.instance);
    CAF_CHECK(y->number == x.number);
    CAF_CHECK(y->other == x.other);
    CAF_CHECK_EQUAL(y->value, x.value);
  }
}

CAF_TEST(votes that no keeper gives are refused) {
  auto far = high;
  far.round = uint64_t{1} << 62;
  CAF_CHECK(refused({static_cast<paxos_verb>(6), {1, 2}, high, {}, {}}));
  CAF_CHECK(refused({static_cast<paxos_verb>(0), {1, 2}, high, {}, {}}));
  CAF_CHECK(refused({paxos_verb::prepare, {1, 2}, {}, {}, {}}));
  CAF_CHECK(refused({paxos_verb::prepare, {1, 2}, far, {}, {}}));
  CAF_CHECK(refused({paxos_verb::refused, {1, 2}, high, far, {}}));
  CAF_CHECK(refused({paxos_verb::prepare, {1, far.round}, high, {}, {}}));
  CAF_CHECK(refused({paxos_verb::prepare, {1, 2}, high, {}, "epoch"}));
  CAF_CHECK(refused({paxos_verb::accept, {1, 2}, high, {}, {}}));
  CAF_CHECK(refused({paxos_verb::promised, {1, 2}, high, low, {}}));
  CAF_CHECK(refused({paxos_verb::promised, {1, 2}, high, {}, "epoch"}));
  CAF_CHECK(refused({paxos_verb::accept,
                     {1, 2},
                     high,
                     {},
                     std::string(core::max_epoch_bytes + 2000, 'x')}));
  CAF_CHECK(!parse_paxos("\xff"));
}

CAF_TEST(words survive the wire) {
  auto x = parse_epoch_word(serialize(epoch_word{{2, 3}, "epoch"}));
  CAF_REQUIRE(x.has_value());
  CAF_CHECK(x->id == (core::epoch_id{2, 3}));
  CAF_CHECK_EQUAL(x->epoch, "epoch");
  CAF_CHECK(!parse_epoch_word("\xff"));
}

CAF_TEST(a request to add is a keyspace with its defaults) {
  auto in = request();
  std::string error;
  auto change = change_of(in, error);
  CAF_REQUIRE(change.has_value());
  auto k = std::get<core::add_keyspace>(*change).what;
  CAF_CHECK_EQUAL(k.name, "photos");
  CAF_CHECK_EQUAL(to_string(k.replication), "dc1:2");
  CAF_CHECK(k.default_read.level == core::consistency_level::quorum);
  CAF_CHECK(!k.strict_puts && !k.hash_tags && k.default_ttl_s == 0);
  in.set_policy("lww");
  in.set_read_level(1);
  in.set_write_level(9);
  in.set_write_count(2);
  in.set_quorum(2);
  in.set_hash_tags(2);
  in.set_has_ttl(true);
  in.set_default_ttl_s(60);
  k = std::get<core::add_keyspace>(*change_of(in, error)).what;
  CAF_CHECK(k.policy == core::conflict_policy::lww);
  CAF_CHECK(k.default_read.level == core::consistency_level::one);
  CAF_CHECK_EQUAL(k.default_write.count, 2u);
  CAF_CHECK(k.strict_puts && k.hash_tags);
  CAF_CHECK_EQUAL(k.default_ttl_s, 60u);
}

CAF_TEST(a request to alter says only what it gives) {
  wire::KeyspaceRequest in;
  in.set_name("photos");
  in.set_alter(true);
  in.set_has_ttl(true);
  in.set_quorum(1);
  std::string error;
  auto change = change_of(in, error);
  CAF_REQUIRE(change.has_value());
  const auto& x = std::get<core::alter_keyspace>(*change);
  CAF_CHECK(x.default_ttl_s == 0u);
  CAF_CHECK(x.strict_puts == false);
  CAF_CHECK(!x.default_read && !x.default_write && !x.replication && !x.policy
            && !x.hash_tags);
}

CAF_TEST(wrong requests are one line each) {
  CAF_CHECK(why(request()).empty());
  auto in = request();
  in.set_name("a b");
  CAF_CHECK(!why(in).empty());
  in = request();
  in.set_replication("17");
  CAF_CHECK(!why(in).empty());
  in.clear_replication();
  CAF_CHECK(!why(in).empty());
  in = request();
  in.set_policy("other");
  CAF_CHECK(!why(in).empty());
  in = request();
  in.set_quorum(3);
  CAF_CHECK(!why(in).empty());
  in = request();
  in.set_hash_tags(3);
  CAF_CHECK(!why(in).empty());
}
