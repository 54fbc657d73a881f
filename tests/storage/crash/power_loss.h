/* The journal that power_loss.c writes and power_loss_undo.cpp reads. */

#pragma once

#include <stdint.h>

#define POWER_LOSS_JOURNAL "COVEY_POWER_LOSS_JOURNAL"
/* If set, the process dies instead of its n-th write or sync. */
#define POWER_LOSS_AFTER "COVEY_POWER_LOSS_AFTER"

enum power_loss_kind { power_loss_write = 1, power_loss_sync = 2 };

/* Followed by the path and, for a write, by the bytes it replaced. */
struct power_loss_entry {
  uint32_t kind;
  uint32_t path_length;
  uint64_t offset;
  uint64_t length;
  /* For a sync: size of the journal when it began. Earlier writes to the file
     are on disk. */
  uint64_t mark;
};
