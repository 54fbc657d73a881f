#include "client/scanner.hpp"

#include "client/back_off.hpp"
#include "messages/errors.hpp"

#include <thread>

namespace covey::client {

namespace {

constexpr auto back_off_least = std::chrono::milliseconds{20};
constexpr auto back_off_most = std::chrono::milliseconds{1000};

} // namespace

scanner::scanner(client& kv, scan_options options, scan_cursor from)
  : kv_(kv), options_(std::move(options)), cursor_(std::move(from)),
    rng_(kv.new_request_id().high) {
  if (options_.slot && cursor_.slot < *options_.slot)
    cursor_ = {*options_.slot, {}};
}

bool scanner::next(scan_page& page) {
  using clock = std::chrono::steady_clock;
  auto past = options_.slot && cursor_.slot > *options_.slot;
  if (cancelled_ || failed_ || past || cursor_.at_end())
    return false;
  auto deadline = clock::now() + options_.request.timeout;
  for (uint32_t attempt = 0;; ++attempt) {
    auto how = options_;
    how.request.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - clock::now());
    page = kv_.scan(cursor_, how);
    auto pause = back_off(attempt, back_off_least, back_off_most, rng_);
    if (page.code != errc::overloaded || clock::now() + pause >= deadline)
      break;
    std::this_thread::sleep_for(pause);
  }
  if (cancelled_)
    return false;
  failed_ = !page.ok();
  cursor_ = page.next;
  return true;
}

} // namespace covey::client
