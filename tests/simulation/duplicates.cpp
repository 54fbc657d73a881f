#include "tests/simulation/duplicates.hpp"

#include "messages/burst.hpp"
#include "messages/handles.hpp"

namespace covey::simulation {

bool may_come_twice(const caf::message& content) {
  if (!content
         .match_elements<caf::atom_value, uint64_t, uint64_t, std::string>()
      || content.get_as<caf::atom_value>(0) != burst_atom::value)
    return true;
  burst_reader frames{content.get_as<std::string>(3)};
  frame_kind kind{};
  std::string_view message;
  while (frames.next(kind, message))
    if (kind == frame_kind::forward)
      return false;
  return true;
}

} // namespace covey::simulation
