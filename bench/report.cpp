#include "bench/report.hpp"

#include "client/report.hpp"

#include <algorithm>

namespace covey::bench {

namespace {

int exit_code(const phase_result& x) {
  const auto& errors = x.total.errors;
  auto most = std::max_element(errors.begin(), errors.end(),
                               [](const auto& a, const auto& b) {
                                 return a.second < b.second;
                               });
  if (most != errors.end())
    return client::exit_code(most->first);
  auto complete = x.total.not_sent == 0 && x.unanswered == 0 && !x.interrupted;
  return complete ? client::exits::done : client::exits::unavailable;
}

} // namespace

int exit_code(const report& x) {
  for (const auto* phase : {&x.fill, &x.run})
    if (*phase)
      if (auto code = exit_code(**phase); code != client::exits::done)
        return code;
  return client::exits::done;
}

} // namespace covey::bench
