// Keeps a keyspace's records from vanishing when its replication is changed.

#pragma once

#include "storage/engine.hpp"

#include <map>
#include <string>

namespace covey::storage {

/// The replication is part of every record's key: under another one the records
/// would still be there, and nobody would find them. Compares `keyspaces` (name
/// to the canonical text of its replication) with what the store was used with,
/// and notes new ones. Empty, or one line about what is wrong and what to do.
std::string
guard_keyspaces(engine& store,
                const std::map<std::string, std::string>& keyspaces);

} // namespace covey::storage
