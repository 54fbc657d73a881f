#include "messages/errors.hpp"

#include <caf/deep_to_string.hpp>
#include <caf/message.hpp>

namespace covey {

std::string to_string(errc x) {
  switch (x) {
    case errc::none:
      return "none";
    case errc::overloaded:
      return "overloaded";
    case errc::unavailable:
      return "unavailable";
    case errc::timed_out:
      return "timed_out";
    case errc::quorum_not_met:
      return "quorum_not_met";
    case errc::connection_lost:
      return "connection_lost";
    case errc::shutting_down:
      return "shutting_down";
    case errc::empty_key:
      return "empty_key";
    case errc::key_too_large:
      return "key_too_large";
    case errc::value_too_large:
      return "value_too_large";
    case errc::unknown_keyspace:
      return "unknown_keyspace";
    case errc::unknown_level:
      return "unknown_level";
    case errc::deadline_expired:
      return "deadline_expired";
    case errc::bad_context:
      return "bad_context";
    case errc::too_many_siblings:
      return "too_many_siblings";
    case errc::clock_skew:
      return "clock_skew";
    case errc::bad_message:
      return "bad_message";
    case errc::disk_full:
      return "disk_full";
    case errc::storage_failed:
      return "storage_failed";
    case errc::stale_epoch:
      return "stale_epoch";
    case errc::not_owner:
      return "not_owner";
    case errc::wrong_cluster:
      return "wrong_cluster";
    case errc::disk_lost:
      return "disk_lost";
    case errc::change_refused:
      return "change_refused";
    case errc::behind:
      return "behind";
  }
  return "error_" + std::to_string(static_cast<int>(x));
}

bool is_retryable(errc x) {
  switch (x) {
    case errc::overloaded:
    case errc::unavailable:
    case errc::timed_out:
    case errc::quorum_not_met:
    case errc::connection_lost:
    case errc::shutting_down:
    case errc::disk_full:
    case errc::storage_failed:
    case errc::stale_epoch:
    case errc::not_owner:
    case errc::disk_lost:
    case errc::behind:
      return true;
    default:
      return false;
  }
}

std::string render_error(uint8_t code, caf::atom_value,
                         const caf::message& context) {
  return "covey." + to_string(static_cast<errc>(code)) + to_string(context);
}

} // namespace covey
