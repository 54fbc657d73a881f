// Takes back what a process wrote and did not sync.

#pragma once

#include <cstdint>
#include <string>

namespace covey::storage::crash {

/// Undoes, newest first, the writes in the journal that no later sync of the
/// same file covers, as a loss of power would. Returns how many.
uint64_t undo_unsynced_writes(const std::string& journal);

} // namespace covey::storage::crash
