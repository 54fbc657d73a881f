// Epochs for tests.

#pragma once

#include "core/epoch.hpp"

#include <string>

namespace covey::core::test {

inline member make_member(const std::string& name,
                          const std::string& data_centre = "dc1") {
  member result;
  result.id = initial_member_id("test", name);
  result.name = name;
  result.host = name + ".example";
  result.port = 7000;
  result.rack = "r" + name;
  result.data_centre = data_centre;
  return result;
}

/// Sound: epoch (1, 1) of n1 to n4 in two data centres, and two keyspaces.
inline epoch make_epoch() {
  epoch result;
  result.id = {1, 1};
  result.cluster = "test";
  result.members = {make_member("n1"), make_member("n2"), make_member("n3"),
                    make_member("n4", "dc2")};
  result.keyspaces.resize(2);
  result.keyspaces[0].name = "carts";
  result.keyspaces[0].replication.total = 3;
  result.keyspaces[1].name = "users";
  result.keyspaces[1].replication.per_data_centre = {{"dc1", 2}, {"dc2", 1}};
  return result;
}

} // namespace covey::core::test
