#include "bench/loop.hpp"

#include <utility>

namespace covey::bench {

void loop::end() {
  for (auto& x : lanes_)
    x->close();
}

size_t loop::in_flight() const {
  size_t result = 0;
  for (auto& x : lanes_)
    result += x->in_flight();
  return result;
}

measurements loop::take() {
  measurements result;
  for (auto& x : lanes_)
    result.add(x->take());
  return result;
}

} // namespace covey::bench
