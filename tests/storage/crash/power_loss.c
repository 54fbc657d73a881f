/* Simulates the loss of power, with LD_PRELOAD: journals what every pwrite
   replaces and every sync, so that what was not synced can be undone. Renames,
   truncations and new files count as durable at once. */

#define _GNU_SOURCE
#include "power_loss.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { max_path = 512 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int journal = -1;
static uint64_t journal_size;
/* Entries until the end; never, if it starts at zero. */
static uint64_t entries_left;
static ssize_t (*real_pwrite)(int, const void*, size_t, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);

static void start(void) {
  real_pwrite = dlsym(RTLD_NEXT, "pwrite");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  const char* after = getenv(POWER_LOSS_AFTER);
  entries_left = after != NULL ? strtoull(after, NULL, 10) : 0;
  const char* path = getenv(POWER_LOSS_JOURNAL);
  if (path != NULL)
    journal
      = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
}

static uint32_t path_of(int file, char* path) {
  char link[64];
  snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, max_path);
  return length > 0 ? (uint32_t) length : 0;
}

static void append(const void* bytes, size_t size) {
  pthread_mutex_lock(&mutex);
  if (entries_left > 0 && --entries_left == 0)
    kill(getpid(), SIGKILL);
  if (write(journal, bytes, size) != (ssize_t) size)
    abort();
  journal_size += size;
  pthread_mutex_unlock(&mutex);
}

static void note_write(int file, size_t size, off_t offset) {
  char path[max_path + 1] = {0};
  uint32_t path_length = path_of(file, path);
  if (path_length == 0)
    return;
  struct power_loss_entry entry
    = {power_loss_write, path_length, (uint64_t) offset, size, 0};
  size_t total = sizeof(entry) + path_length + size;
  char* bytes = calloc(1, total);
  if (bytes == NULL)
    abort();
  memcpy(bytes, &entry, sizeof(entry));
  memcpy(bytes + sizeof(entry), path, path_length);
  /* The descriptor itself may be open for writing only. */
  int reader = open(path, O_RDONLY | O_CLOEXEC);
  if (reader >= 0) {
    /* Past the end of the file the old bytes count as zeros. */
    if (pread(reader, bytes + sizeof(entry) + path_length, size, offset) < 0)
      abort();
    close(reader);
  }
  append(bytes, total);
  free(bytes);
}

static int note_sync(int file, int (*sync)(int)) {
  pthread_mutex_lock(&mutex);
  uint64_t mark = journal_size;
  pthread_mutex_unlock(&mutex);
  int result = sync(file);
  char bytes[sizeof(struct power_loss_entry) + max_path + 1] = {0};
  uint32_t path_length
    = path_of(file, bytes + sizeof(struct power_loss_entry));
  if (result == 0 && path_length > 0) {
    struct power_loss_entry entry
      = {power_loss_sync, path_length, 0, 0, mark};
    memcpy(bytes, &entry, sizeof(entry));
    append(bytes, sizeof(entry) + path_length);
  }
  return result;
}

ssize_t pwrite(int file, const void* bytes, size_t size, off_t offset) {
  pthread_once(&once, start);
  if (journal >= 0)
    note_write(file, size, offset);
  return real_pwrite(file, bytes, size, offset);
}

ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t offset) {
  return pwrite(file, bytes, size, offset);
}

int fsync(int file) {
  pthread_once(&once, start);
  return journal >= 0 ? note_sync(file, real_fsync) : real_fsync(file);
}

int fdatasync(int file) {
  pthread_once(&once, start);
  return journal >= 0 ? note_sync(file, real_fdatasync) : real_fdatasync(file);
}
