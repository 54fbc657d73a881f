/* What a node of the chaos run suffers, with LD_PRELOAD:
   - a connection to port P of 127.0.0.1 goes to port Q instead, for each P=Q in
     COVEY_CHAOS_LINKS ("P=Q,P=Q");
   - while the file named by COVEY_CHAOS_STALL exists, syncs do not return;
   - while the file named by COVEY_CHAOS_FULL exists, the disk has no room. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name)) dlsym(RTLD_NEXT, #name))

enum { stall_step_ms = 10, most_stall_steps = 6000 };

static int on(const char* variable) {
  const char* path = getenv(variable);
  return path != NULL && access(path, F_OK) == 0;
}

/* The port to go to in the place of `port`. */
static unsigned port_for(unsigned port) {
  const char* at = getenv("COVEY_CHAOS_LINKS");
  while (at != NULL && *at != 0) {
    unsigned from = 0;
    unsigned to = 0;
    if (sscanf(at, "%u=%u", &from, &to) == 2 && from == port)
      return to;
    at = strchr(at, ',');
    if (at != NULL)
      ++at;
  }
  return port;
}

int connect(int file, const struct sockaddr* address, socklen_t size) {
  struct sockaddr_in changed;
  if (address->sa_family == AF_INET && size >= sizeof(changed)) {
    memcpy(&changed, address, sizeof(changed));
    if (ntohl(changed.sin_addr.s_addr) == INADDR_LOOPBACK) {
      changed.sin_port = htons((uint16_t) port_for(ntohs(changed.sin_port)));
      return REAL(connect)(file, (struct sockaddr*) &changed, sizeof(changed));
    }
  }
  return REAL(connect)(file, address, size);
}

/* Never for good: who forgets the file does not hang a node. */
static void stall(void) {
  const struct timespec step = {0, stall_step_ms * 1000000L};
  for (int i = 0; i < most_stall_steps && on("COVEY_CHAOS_STALL"); ++i)
    nanosleep(&step, NULL);
}

int fsync(int file) {
  stall();
  return REAL(fsync)(file);
}

int fdatasync(int file) {
  stall();
  return REAL(fdatasync)(file);
}

int statvfs(const char* path, struct statvfs* out) {
  int result = REAL(statvfs)(path, out);
  if (result == 0 && on("COVEY_CHAOS_FULL"))
    out->f_bavail = 0;
  return result;
}

int statvfs64(const char* path, struct statvfs64* out) {
  int result = REAL(statvfs64)(path, out);
  if (result == 0 && on("COVEY_CHAOS_FULL"))
    out->f_bavail = 0;
  return result;
}
