/* Injects errors of the file system, with LD_PRELOAD. The file named by
   COVEY_FAULT holds "<call> <errno> <part of a path>", or nothing: calls on
   files whose path has that part fail with that errno. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name)) dlsym(RTLD_NEXT, #name))

static int path_fails(const char* call, const char* path) {
  const char* control = getenv("COVEY_FAULT");
  FILE* in = control != NULL ? fopen(control, "re") : NULL;
  if (in == NULL)
    return 0;
  char wanted[32];
  char part[128];
  int code = 0;
  int fields = fscanf(in, "%31s %d %127s", wanted, &code, part);
  fclose(in);
  if (fields != 3 || strcmp(wanted, call) != 0 || strstr(path, part) == NULL)
    return 0;
  errno = code;
  return 1;
}

static int file_fails(const char* call, int file) {
  char link[64];
  char path[512];
  snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof(path) - 1);
  if (length <= 0)
    return 0;
  path[length] = 0;
  return path_fails(call, path);
}

ssize_t pwrite(int file, const void* bytes, size_t size, off_t offset) {
  if (file_fails("write", file))
    return -1;
  return REAL(pwrite)(file, bytes, size, offset);
}

ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t offset) {
  return pwrite(file, bytes, size, offset);
}

ssize_t pread(int file, void* bytes, size_t size, off_t offset) {
  if (file_fails("read", file))
    return -1;
  return REAL(pread)(file, bytes, size, offset);
}

ssize_t pread64(int file, void* bytes, size_t size, off64_t offset) {
  return pread(file, bytes, size, offset);
}

int fsync(int file) {
  return file_fails("sync", file) ? -1 : REAL(fsync)(file);
}

int fdatasync(int file) {
  return file_fails("sync", file) ? -1 : REAL(fdatasync)(file);
}

/* "space <megabytes left> <part>" is no error, but a full disk. */
int statvfs(const char* path, struct statvfs* out) {
  int result = REAL(statvfs)(path, out);
  if (result == 0 && path_fails("space", path))
    out->f_bavail = ((fsblkcnt_t) errno << 20) / out->f_frsize;
  return result;
}

int statvfs64(const char* path, struct statvfs64* out) {
  int result = REAL(statvfs64)(path, out);
  if (result == 0 && path_fails("space", path))
    out->f_bavail = ((fsblkcnt64_t) errno << 20) / out->f_frsize;
  return result;
}
