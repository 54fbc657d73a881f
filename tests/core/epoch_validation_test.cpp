// What makes an epoch unusable, one line each.

#define CAF_SUITE core.epoch_validation

#include "core/epoch.hpp"

#include <caf/test/unit_test.hpp>

#include <functional>
#include <unordered_map>

using namespace covey::core;

namespace {

member make_member(const std::string& name, const std::string& rack,
                   const std::string& data_centre) {
  return {initial_member_id("test", name),
          name,
          name + ".example",
          7000,
          rack,
          data_centre,
          1};
}

/// Sound: four members in two data centres, two keyspaces.
epoch make_epoch() {
  epoch result;
  result.id = {1, 1};
  result.cluster = "test";
  result.members
    = {make_member("n1", "r1", "dc1"), make_member("n2", "r2", "dc1"),
       make_member("n3", "r1", "dc2"), make_member("n4", "r2", "dc2")};
  result.keyspaces.resize(2);
  result.keyspaces[0].name = "carts";
  result.keyspaces[0].replication.total = 3;
  result.keyspaces[1].name = "users";
  result.keyspaces[1].replication.per_data_centre = {{"dc1", 2}, {"dc2", 1}};
  return result;
}

using change = std::function<void(epoch&)>;

/// The problems after `f`, each with a line break.
std::string problems_after(const change& f) {
  auto x = make_epoch();
  f(x);
  std::string result;
  for (auto& line : validate(x))
    result += line + '\n';
  return result;
}

/// Two different texts made by `text` whose hashes share their low 32 bits.
std::pair<std::string, std::string>
colliding(const std::function<std::string(int)>& text,
          const std::function<uint32_t(const std::string&)>& id) {
  std::unordered_map<uint32_t, std::string> seen;
  for (int i = 0; i < 1000000; ++i) {
    auto x = text(i);
    if (auto [j, fresh] = seen.emplace(id(x), x); !fresh)
      return {j->second, x};
  }
  CAF_FAIL("no collision among a million");
}

} // namespace

CAF_TEST(a sound epoch has no problems) {
  CAF_CHECK_EQUAL(problems_after([](epoch&) {}), "");
}

CAF_TEST(a cluster of one member without rack and data centre is sound) {
  CAF_CHECK_EQUAL(problems_after([](epoch& x) {
                    x.members = {make_member("n1", "", "")};
                    x.keyspaces.resize(1);
                    x.keyspaces[0].replication.total = 1;
                  }),
                  "");
}

CAF_TEST(each problem of an epoch is one line that names it) {
  std::vector<std::pair<change, std::string>> cases{
    {[](epoch& x) {
       x.members[0].name = "";
     },
     "member \"\": not a name"},
    {[](epoch& x) {
       x.members[0].name = "n 1";
     },
     "member \"n 1\": not a name"},
    {[](epoch& x) {
       x.members[1].name = "n1" + std::string(63, 'x');
     },
     "not a name"},
    {[](epoch& x) {
       x.members[1].name = "n1";
     },
     "member n1: two members have this name"},
    {[](epoch& x) {
       x.members[1].host = "n1.example";
     },
     "member n2: address n1.example:7000 is that of member n1 too"},
    {[](epoch& x) {
       x.members[1].id = {};
     },
     "member n2: has no id"},
    {[](epoch& x) {
       x.members[1].id = x.members[0].id;
     },
     "is that of member n1 too"},
    {[](epoch& x) {
       x.members[1].weight = 0;
     },
     "member n2: weight 0 is outside"},
    {[](epoch& x) {
       x.members[1].weight = 65;
     },
     "member n2: weight 65 is outside 1 to 64"},
    {[](epoch& x) {
       x.members[1].rack = "a,b";
     },
     "member n2: rack \"a,b\": not a name"},
    {[](epoch& x) {
       x.members[0].name = "n9";
     },
     "members are not sorted"},
    {[](epoch& x) {
       x.keyspaces.clear();
     },
     "no keyspaces"},
    {[](epoch& x) {
       x.keyspaces[1].name = "";
       x.keyspaces.erase(x.keyspaces.begin());
     },
     "keyspace \"\": not a name"},
    {[](epoch& x) {
       x.keyspaces[1].name = "u:s";
     },
     "keyspace \"u:s\": not a name"},
    {[](epoch& x) {
       x.keyspaces[1].name = "carts";
     },
     "is that of keyspace carts too"},
    {[](epoch& x) {
       x.keyspaces[0].name = "zebras";
     },
     "keyspaces are not sorted"},
    {[](epoch& x) {
       x.keyspaces[0].replication.total = 5;
     },
     "keyspace carts: replication 5 is above the 4 members"},
    {[](epoch& x) {
       x.keyspaces[0].replication.total = 17;
     },
     "keyspace carts: replication 17 asks for 17 replicas"},
    {[](epoch& x) {
       x.keyspaces[1].replication.total = 3;
     },
     "keyspace users: replication is both 3 and dc1:2,dc2:1"},
    {[](epoch& x) {
       x.keyspaces[1].replication.per_data_centre["dc1"] = 3;
     },
     "keyspace users: replication in data centre dc1: 3 is above its 2 "
     "members"},
    {[](epoch& x) {
       x.keyspaces[1].replication.per_data_centre["dc3"] = 1;
     },
     "keyspace users: replication in data centre dc3: it has no members"},
    {[](epoch& x) {
       x.keyspaces[1].replication.per_data_centre["dc1"] = 0;
     },
     "keyspace users: replication in data centre dc1 is 0"},
    {[](epoch& x) {
       x.keyspaces[0].default_read = {};
     },
     "keyspace carts: default read DEFAULT: not a consistency level"},
    {[](epoch& x) {
       x.keyspaces[0].default_write = {consistency_level::number, 0};
     },
     "keyspace carts: default write 0: not a consistency level"},
    {[](epoch& x) {
       x.keyspaces[0].default_write = {consistency_level::number, 4};
     },
     "keyspace carts: default write 4 is above the replication 3"},
    {[](epoch& x) {
       x.keyspaces[0].default_read.level = static_cast<consistency_level>(10);
     },
     "not a consistency level"},
  };
  for (auto& [f, expected] : cases) {
    auto lines = problems_after(f);
    auto good = lines.find(expected) != std::string::npos
                && lines.find('\n') == lines.size() - 1;
    CAF_CHECK(good);
    if (!good)
      CAF_ERROR("not one line with \"" << expected << "\" but: " << lines);
  }
}

CAF_TEST(an epoch without replicas or with too many members is refused) {
  auto lines = problems_after([](epoch& x) {
    x.members.clear();
  });
  CAF_CHECK_NOT_EQUAL(lines.find("no members"), std::string::npos);
  lines = problems_after([](epoch& x) {
    x.keyspaces[0].replication.total = 0;
  });
  CAF_CHECK_NOT_EQUAL(lines.find("asks for 0 replicas"), std::string::npos);
  lines = problems_after([](epoch& x) {
    x.keyspaces[1].replication.per_data_centre
      = {{"dc1", 0xffffffff}, {"dc2", 2}};
  });
  CAF_CHECK_NOT_EQUAL(lines.find("asks for 4294967297 replicas"),
                      std::string::npos);
  auto with_more = [](int more, uint32_t weight) {
    return problems_after([=](epoch& x) {
      for (int i = 0; i < more; ++i)
        x.members.push_back(
          make_member("o" + std::to_string(10000 + i), "", ""));
      for (auto& m : x.members)
        m.weight = weight;
    });
  };
  CAF_CHECK_EQUAL(with_more(1020, 63), "");
  CAF_CHECK_NOT_EQUAL(with_more(1021, 1).find("1025 members, removed ones "
                                              "included: 1024 are the limit"),
                      std::string::npos);
  CAF_CHECK_NOT_EQUAL(with_more(1020, 64).find("sum up to 65536, above 65535"),
                      std::string::npos);
}

CAF_TEST(names whose ids collide are refused) {
  auto names = colliding(
    [](int i) {
      return "k" + std::to_string(i);
    },
    [](auto& x) {
      return keyspace_id(x);
    });
  auto lines = problems_after([&](epoch& x) {
    x.keyspaces[0].name = std::min(names.first, names.second);
    x.keyspaces[1].name = std::max(names.first, names.second);
  });
  CAF_CHECK_NOT_EQUAL(lines.find("too; rename one"), std::string::npos);
  auto spec = [](const std::string& x) {
    replication_spec result;
    result.per_data_centre[x] = 1;
    return result;
  };
  names = colliding(
    [](int i) {
      return "d" + std::to_string(i);
    },
    [&](auto& x) {
      return group_id(spec(x));
    });
  lines = problems_after([&](epoch& x) {
    x.members[0].data_centre = names.first;
    x.members[1].data_centre = names.second;
    x.keyspaces[0].replication = spec(names.first);
    x.keyspaces[1].replication = spec(names.second);
  });
  CAF_CHECK_NOT_EQUAL(lines.find("the group id of replication"),
                      std::string::npos);
}

CAF_TEST(keyspaces of one replication share its group) {
  CAF_CHECK_EQUAL(problems_after([](epoch& x) {
                    x.keyspaces[1].replication = x.keyspaces[0].replication;
                  }),
                  "");
}
