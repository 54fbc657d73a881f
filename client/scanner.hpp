// All keys, or those with a prefix, page after page.

#pragma once

#include "client/client.hpp"

#include <atomic>
#include <random>

namespace covey::client {

/// Reads pages one by one and repeats what is overloaded. A scan is weakly
/// consistent: it sees every key that is there from its beginning to its end,
/// and may see what changes meanwhile, or not. One thread uses it; `cancel` is
/// for any. The client must outlive it.
class scanner {
public:
  /// From `from` on, to the end of the ring, or of the slot `options.slot`.
  scanner(client& kv, scan_options options, scan_cursor from = {});

  /// Waits for the next page, which may be empty; false at the end, after
  /// `cancel`, and after a page with an error (which is delivered: true once).
  bool next(scan_page& page);
  /// `next` returns false from now on; a page under way is dropped.
  void cancel() {
    cancelled_ = true;
  }
  /// Where to begin again: in another process, another day, another epoch.
  const scan_cursor& cursor() const {
    return cursor_;
  }

private:
  client& kv_;
  scan_options options_;
  scan_cursor cursor_;
  std::mt19937_64 rng_;
  std::atomic<bool> cancelled_{false};
  bool failed_ = false;
};

} // namespace covey::client
