/* Preloaded into a process: logs every change below PIXTRAWL_RECORD_ROOT to PIXTRAWL_RECORD_LOG.
 *
 * One lock makes the log one order of all threads' calls. Syncs are logged and not carried out:
 * `states.py` decides what a power cut leaves. A record is a header line and then its bytes:
 *   kind \t inode \t offset \t length \t path \t other path \n <length bytes>
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static int log_fd = -1;
static const char *root;

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static ssize_t raw_write(int fd, const void *data, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    return real(fd, data, size);
}

__attribute__((constructor)) static void begin(void) {
    root = getenv("PIXTRAWL_RECORD_ROOT");
    const char *name = getenv("PIXTRAWL_RECORD_LOG");
    int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
    if (root && name) log_fd = real(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int inside(const char *path) {
    return root && log_fd >= 0 && strncmp(path, root, strlen(root)) == 0;
}

static const char *path_of(int fd, char *out) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, out, 4095);
    out[size < 0 ? 0 : size] = 0;
    return out;
}

static const char *full(int dir, const char *path, char *out) {
    if (path[0] == '/') return strncpy(out, path, 4095);
    if (dir == AT_FDCWD) { if (!getcwd(out, 2048)) out[0] = 0; } else path_of(dir, out);
    strcat(out, "/");
    return strncat(out, path, 2000);
}

static unsigned long inode_of(const char *path) {
    struct stat found;
    return lstat(path, &found) == 0 ? found.st_ino : 0;
}

static void record(const char *kind, unsigned long inode, long offset, const void *data,
                   size_t size, const char *path, const char *other) {
    char head[9000];
    int length = snprintf(head, sizeof head, "%s\t%lu\t%ld\t%zu\t%s\t%s\n", kind, inode, offset,
                          size, path, other);
    if (raw_write(log_fd, head, length) != length) abort();
    if (size && raw_write(log_fd, data, size) != (ssize_t)size) abort();
}

static void wrote(int fd, const void *data, ssize_t size, off_t offset) {
    char path[4096];
    struct stat found;
    if (size <= 0 || !inside(path_of(fd, path)) || fstat(fd, &found)) return;
    record("write", found.st_ino, offset, data, size, path, "");
}

/* The offset before a call that moves it; at the end of the file for O_APPEND. */
static off_t place(int fd) {
    struct stat found;
    if ((fcntl(fd, F_GETFL) & O_APPEND) && fstat(fd, &found) == 0) return found.st_size;
    return lseek(fd, 0, SEEK_CUR);
}

ssize_t write(int fd, const void *data, size_t size) {
    if (log_fd < 0) return raw_write(fd, data, size);
    pthread_mutex_lock(&lock);
    off_t at = place(fd);
    ssize_t done = raw_write(fd, data, size);
    wrote(fd, data, done, at);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    ssize_t total = 0;
    for (int i = 0; i < count; i++) {
        ssize_t done = write(fd, parts[i].iov_base, parts[i].iov_len);
        if (done < 0) return total ? total : done;
        total += done;
        if ((size_t)done < parts[i].iov_len) break;
    }
    return total;
}

static ssize_t pwrite_(const char *name, int fd, const void *data, size_t size, off_t at) {
    ssize_t (*real)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, name);
    pthread_mutex_lock(&lock);
    ssize_t done = real(fd, data, size, at);
    if (log_fd >= 0) wrote(fd, data, done, at);
    pthread_mutex_unlock(&lock);
    return done;
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    return pwrite_("pwrite", fd, data, size, at);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off_t at) {
    return pwrite_("pwrite64", fd, data, size, at);
}

/* Copies in the kernel become reads and writes, which are logged. */
ssize_t sendfile(int out, int in, off_t *offset, size_t count) {
    char block[65536];
    if (count > sizeof block) count = sizeof block;
    ssize_t got = offset ? pread(in, block, count, *offset) : read(in, block, count);
    if (got <= 0) return got;
    ssize_t done = write(out, block, got);
    if (offset && done > 0) *offset += done;
    return done;
}
ssize_t sendfile64(int out, int in, off_t *offset, size_t count) {
    return sendfile(out, in, offset, count);
}

static int truncate_(const char *name, int fd, off_t size) {
    int (*real)(int, off_t) = dlsym(RTLD_NEXT, name);
    char path[4096];
    struct stat found;
    pthread_mutex_lock(&lock);
    int done = real(fd, size);
    if (done == 0 && inside(path_of(fd, path)) && fstat(fd, &found) == 0)
        record("truncate", found.st_ino, size, "", 0, path, "");
    pthread_mutex_unlock(&lock);
    return done;
}
int ftruncate(int fd, off_t size) { return truncate_("ftruncate", fd, size); }
int ftruncate64(int fd, off_t size) { return truncate_("ftruncate64", fd, size); }

static int open_(const char *name, int dir, const char *path, int flags, mode_t mode) {
    int (*real)(int, const char *, int, ...) = dlsym(RTLD_NEXT, name);
    char where[4096] = "";
    pthread_mutex_lock(&lock);
    int watched = log_fd >= 0 && (flags & (O_CREAT | O_TRUNC)) && inside(full(dir, path, where));
    unsigned long before = watched ? inode_of(where) : 0;
    int fd = real(dir, path, flags, mode);
    if (fd >= 0 && watched) {
        unsigned long inode = inode_of(where);
        if (inode != before) record("create", inode, 0, "", 0, where, "");
        else if (flags & O_TRUNC) record("truncate", inode, 0, "", 0, where, "");
    }
    pthread_mutex_unlock(&lock);
    return fd;
}
#define MODE(after) va_list list; va_start(list, after); mode_t mode = va_arg(list, int); va_end(list)
int open(const char *path, int flags, ...) { MODE(flags); return open_("openat", AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags); return open_("openat64", AT_FDCWD, path, flags, mode); }
int openat(int dir, const char *path, int flags, ...) { MODE(flags); return open_("openat", dir, path, flags, mode); }
int openat64(int dir, const char *path, int flags, ...) { MODE(flags); return open_("openat64", dir, path, flags, mode); }

static int moved(int kind, int from, const char *old, int to, const char *new, unsigned flags) {
    int (*rename_)(int, const char *, int, const char *, unsigned) = dlsym(RTLD_NEXT, "renameat2");
    int (*link_)(int, const char *, int, const char *, int) = dlsym(RTLD_NEXT, "linkat");
    char source[4096] = "", target[4096] = "";
    pthread_mutex_lock(&lock);
    full(from, old, source);
    full(to, new, target);
    unsigned long inode = inode_of(source);
    int done = kind ? link_(from, old, to, new, flags) : rename_(from, old, to, new, flags);
    if (done == 0 && inside(target)) record(kind ? "link" : "rename", inode, 0, "", 0, source, target);
    pthread_mutex_unlock(&lock);
    return done;
}
int rename(const char *old, const char *new) { return moved(0, AT_FDCWD, old, AT_FDCWD, new, 0); }
int renameat(int a, const char *old, int b, const char *new) { return moved(0, a, old, b, new, 0); }
int renameat2(int a, const char *old, int b, const char *new, unsigned flags) { return moved(0, a, old, b, new, flags); }
int link(const char *old, const char *new) { return moved(1, AT_FDCWD, old, AT_FDCWD, new, 0); }
int linkat(int a, const char *old, int b, const char *new, int flags) { return moved(1, a, old, b, new, flags); }

static int entry(const char *kind, int dir, const char *path, int flags, mode_t mode) {
    int (*unlink_)(int, const char *, int) = dlsym(RTLD_NEXT, "unlinkat");
    int (*mkdir_)(int, const char *, mode_t) = dlsym(RTLD_NEXT, "mkdirat");
    char where[4096] = "";
    pthread_mutex_lock(&lock);
    full(dir, path, where);
    unsigned long inode = inode_of(where);
    int done = kind[0] == 'm' ? mkdir_(dir, path, mode) : unlink_(dir, path, flags);
    if (done == 0 && inside(where)) record(kind, kind[0] == 'm' ? inode_of(where) : inode, 0, "", 0, where, "");
    pthread_mutex_unlock(&lock);
    return done;
}
int unlink(const char *path) { return entry("unlink", AT_FDCWD, path, 0, 0); }
int unlinkat(int dir, const char *path, int flags) { return entry("unlink", dir, path, flags, 0); }
int rmdir(const char *path) { return entry("unlink", AT_FDCWD, path, AT_REMOVEDIR, 0); }
int mkdir(const char *path, mode_t mode) { return entry("mkdir", AT_FDCWD, path, 0, mode); }

static int synced(const char *kind, int fd) {
    char path[4096];
    struct stat found;
    pthread_mutex_lock(&lock);
    if (inside(path_of(fd, path)) && fstat(fd, &found) == 0) record(kind, found.st_ino, 0, "", 0, path, "");
    pthread_mutex_unlock(&lock);
    return 0;
}
int fsync(int fd) { return synced("sync", fd); }
int fdatasync(int fd) { return synced("sync", fd); }
int syncfs(int fd) { return synced("syncall", fd); }
