// A cluster of one member with one keyspace, of policy lww.

#pragma once

#include "core/epoch.hpp"

#include <memory>

namespace covey::bench {

inline constexpr const char* contest_keyspace = "default";

std::shared_ptr<const core::epoch> make_contest_epoch();

/// The key under which the store holds `key`.
std::string stored_key(const std::string& key);

} // namespace covey::bench
