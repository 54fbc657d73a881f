// The actor systems that clients of one process use.

#define CAF_SUITE client.actor_systems

#include "client/actor_systems.hpp"
#include "tests/test.hpp"

#include <set>
#include <stdexcept>
#include <string>
#include <vector>

using namespace covey::client;

CAF_TEST(one that was given back is used again) {
  auto first = borrow_system();
  auto* address = first.get();
  first.reset();
  CAF_CHECK_EQUAL(borrow_system().get(), address);
}

CAF_TEST(no two of a process are the same node and the last one says why) {
  std::vector<borrowed_system> all;
  std::set<std::string> nodes;
  std::string refusal;
  while (refusal.empty() && all.size() < 300) {
    try {
      all.push_back(borrow_system());
      nodes.insert(to_string(all.back()->node()));
    } catch (const std::runtime_error& e) {
      refusal = e.what();
    }
  }
  CAF_CHECK_EQUAL(nodes.size(), all.size());
  CAF_CHECK_GREATER(all.size(), 100u);
  CAF_CHECK(refusal.find("too many clients") != std::string::npos);
  // Those that are given back are not lost.
  all.pop_back();
  CAF_CHECK(borrow_system() != nullptr);
}
