/* Makes one call on the files below a folder fail: number `at` once, or from there on.

   Preloaded into a Python that calls `arm`; until then every call passes. Counted are the calls that
   open, write, sync, rename, link, remove, cut or map. A short write takes half of its bytes;
   with a negative error the process is killed instead. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 65536
static char root[4096];
static size_t root_length;
static atomic_long count;
static long fail_at, fail_until;
static int fail_with, is_short;
static atomic_char ours[FILES];
static char failed_call[64];

void arm(const char *folder, long at, long until, int error, int short_write) {
  snprintf(root, sizeof root, "%s", folder);
  root_length = strlen(root);
  fail_at = at; fail_until = until; fail_with = error; is_short = short_write;
  atomic_store(&count, 0);
  failed_call[0] = 0;
}
long calls(void) { return atomic_load(&count); }
const char *failed(void) { return failed_call; }

static int inside(const char *path) {
  return root_length && path && !strncmp(path, root, root_length);
}
static int open_inside(int fd) { return fd >= 0 && fd < FILES && atomic_load(&ours[fd]); }

/* Count a call; return whether it is to fail. */
static int fails(const char *name) {
  long own = atomic_fetch_add(&count, 1) + 1;
  if (own < fail_at || own > fail_until) return 0;
  if (!failed_call[0]) snprintf(failed_call, sizeof failed_call, "%s", name);
  if (fail_with < 0) kill(getpid(), SIGKILL);
  errno = fail_with;
  return 1;
}
#define REAL(name) \
  static __typeof__(&name) real; \
  if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static int opened(int fd) {
  if (fd >= 0 && fd < FILES) atomic_store(&ours[fd], 1);
  return fd;
}
#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    REAL(name); \
    mode_t mode = 0; \
    if (flags & (O_CREAT | __O_TMPFILE)) { va_list l; va_start(l, flags); mode = va_arg(l, mode_t); va_end(l); } \
    if (!inside(path)) return real(path, flags, mode); \
    return fails(#name) ? -1 : opened(real(path, flags, mode)); \
  }
#define OPENAT(name) \
  int name(int at, const char *path, int flags, ...) { \
    REAL(name); \
    mode_t mode = 0; \
    if (flags & (O_CREAT | __O_TMPFILE)) { va_list l; va_start(l, flags); mode = va_arg(l, mode_t); va_end(l); } \
    if (!inside(path)) return real(at, path, flags, mode); \
    return fails(#name) ? -1 : opened(real(at, path, flags, mode)); \
  }
OPEN(open) OPEN(open64) OPENAT(openat) OPENAT(openat64)

int close(int fd) {
  REAL(close);
  if (fd >= 0 && fd < FILES) atomic_store(&ours[fd], 0);
  return real(fd);
}
ssize_t write(int fd, const void *data, size_t length) {
  REAL(write);
  if (open_inside(fd) && fails("write")) {
    if (!is_short || length < 2) return -1;
    return real(fd, data, length / 2);
  }
  return real(fd, data, length);
}
#define PWRITE(name, offset_t) \
  ssize_t name(int fd, const void *data, size_t length, offset_t offset) { \
    REAL(name); \
    if (open_inside(fd) && fails("pwrite")) { \
      if (!is_short || length < 2) return -1; \
      return real(fd, data, length / 2, offset); \
    } \
    return real(fd, data, length, offset); \
  }
PWRITE(pwrite, off_t) PWRITE(pwrite64, off64_t)
ssize_t writev(int fd, const struct iovec *parts, int number) {
  REAL(writev);
  return open_inside(fd) && fails("writev") ? -1 : real(fd, parts, number);
}
#define ON_FILE(type, name, parameters, arguments) \
  type name parameters { \
    REAL(name); \
    return open_inside(fd) && fails(#name) ? (type)-1 : real arguments; \
  }
ON_FILE(int, fsync, (int fd), (fd))
ON_FILE(int, fdatasync, (int fd), (fd))
ON_FILE(int, syncfs, (int fd), (fd))
ON_FILE(int, ftruncate, (int fd, off_t size), (fd, size))
ON_FILE(int, ftruncate64, (int fd, off64_t size), (fd, size))
ON_FILE(int, posix_fallocate, (int fd, off_t at, off_t size), (fd, at, size))
ON_FILE(int, posix_fallocate64, (int fd, off64_t at, off64_t size), (fd, at, size))
ssize_t sendfile64(int out, int in, off64_t *at, size_t length) {
  static ssize_t (*real)(int, int, off64_t *, size_t);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "sendfile64");
  return open_inside(out) && fails("sendfile") ? -1 : real(out, in, at, length);
}
void *mmap(void *at, size_t length, int rights, int flags, int fd, off_t offset) {
  REAL(mmap);
  return open_inside(fd) && fails("mmap") ? MAP_FAILED : real(at, length, rights, flags, fd, offset);
}
void *mmap64(void *at, size_t length, int rights, int flags, int fd, off64_t offset) {
  REAL(mmap64);
  return open_inside(fd) && fails("mmap") ? MAP_FAILED : real(at, length, rights, flags, fd, offset);
}
#define ON_PATH(name, parameters, arguments) \
  int name parameters { \
    REAL(name); \
    return inside(path) && fails(#name) ? -1 : real arguments; \
  }
ON_PATH(unlink, (const char *path), (path))
ON_PATH(rmdir, (const char *path), (path))
ON_PATH(mkdir, (const char *path, mode_t mode), (path, mode))
ON_PATH(rename, (const char *path, const char *to), (path, to))
ON_PATH(link, (const char *path, const char *to), (path, to))
ON_PATH(unlinkat, (int at, const char *path, int flags), (at, path, flags))
ON_PATH(mkdirat, (int at, const char *path, mode_t mode), (at, path, mode))
ON_PATH(renameat, (int at, const char *path, int at2, const char *to), (at, path, at2, to))
ON_PATH(renameat2, (int at, const char *path, int at2, const char *to, unsigned flags), (at, path, at2, to, flags))
ON_PATH(linkat, (int at, const char *path, int at2, const char *to, int flags), (at, path, at2, to, flags))
