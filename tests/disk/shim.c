/* A disk that fails on order, for a program that knows nothing of it: loaded before the C library, it stands in for the
 * calls that write, flush, cut, open, rename and remove files, and passes them on unless told otherwise.
 *
 * FAULTY_ROOT    only files whose path begins so are touched and counted
 * FAULTY_PLAN    CLASS:N:ERRNO:HOW   the N-th call of the class (from 1) fails so; HOW is once, ever, or short (a write
 *                that writes half, and fails so from then on). Without it nothing fails.
 * FAULTY_ONLY    an ending: the plan counts only files whose path ends so
 * FAULTY_ROOM    a file with a number: so many bytes the files may have together. Read anew at each write.
 * FAULTY_COUNTS  a file of machine words: how often each class was called, then how often a call failed on order, then
 *                the path of the first that did
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WRITE, SYNC, CUT, OPEN, RENAME, REMOVE, READ, CLASSES };
static const char *const names[CLASSES] = {"write", "sync", "cut", "open", "rename", "remove", "read"};

struct told {
    uint64_t calls[CLASSES];
    uint64_t failed;
    char path[256];
};

#define MOST_FILES 4096
static char *paths[MOST_FILES];
static struct told nowhere, *told = &nowhere;
static const char *root, *only, *room;
static int class = -1, error, again, half;
static uint64_t nth, reached;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
    char word[16], how[16];
    root = getenv("FAULTY_ROOT");
    only = getenv("FAULTY_ONLY");
    room = getenv("FAULTY_ROOM");
    const char *plan = getenv("FAULTY_PLAN"), *counts = getenv("FAULTY_COUNTS");
    unsigned long long n;
    if (plan && sscanf(plan, "%15[a-z]:%llu:%d:%15s", word, &n, &error, how) == 4) {
        for (int c = 0; c < CLASSES; c++)
            if (!strcmp(names[c], word)) class = c;
        nth = n;
        half = !strcmp(how, "short");
        again = half || !strcmp(how, "ever");
    }
    if (counts) {
        int fd = REAL(open64)(counts, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd >= 0 && REAL(ftruncate64)(fd, sizeof *told) == 0) {
            void *at = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
            if (at != MAP_FAILED) told = at;
        }
        if (fd >= 0) close(fd);
    }
}

static int ours(const char *path) { return root && path && !strncmp(path, root, strlen(root)); }

static const char *path_of(int fd) { return fd >= 0 && fd < MOST_FILES ? paths[fd] : NULL; }

static int opened(int fd, const char *path) {
    if (fd >= 0 && fd < MOST_FILES && ours(path)) {
        free(paths[fd]);
        paths[fd] = strdup(path);
    }
    return fd;
}

/* Counts a call; 0 if it may go on, 1 if it is the first to fail, 2 if it is a later one. */
static int fails(int which, const char *path) {
    if (!ours(path)) return 0;
    __atomic_add_fetch(&told->calls[which], 1, __ATOMIC_SEQ_CST);
    if (which != class) return 0;
    size_t length = strlen(path), ending = only ? strlen(only) : 0;
    if (ending > length || (only && strcmp(path + length - ending, only))) return 0;
    uint64_t count = __atomic_add_fetch(&reached, 1, __ATOMIC_SEQ_CST);
    if (count < nth || (count > nth && !again)) return 0;
    if (__atomic_add_fetch(&told->failed, 1, __ATOMIC_SEQ_CST) == 1) {
        size_t skipped = length < sizeof told->path ? 0 : length - sizeof told->path + 1;
        memcpy(told->path, path + skipped, length - skipped + 1);
    }
    errno = error;
    return count == nth ? 1 : 2;
}

/* Whether the files would need more room than there is if `end` bytes were in the file of `fd`. */
static int too_large(int fd, const char *path, off_t end) {
    static const char *const endings[] = {"", "-wal", "-shm"};
    struct stat file;
    char text[32] = "", name[4096];
    int64_t used = 0;
    if (!room || !ours(path) || fstat(fd, &file) || end <= file.st_size) return 0;
    int limits = REAL(open64)(room, O_RDONLY | O_CLOEXEC);
    if (limits < 0) return 0;
    ssize_t got = REAL(read)(limits, text, sizeof text - 1);
    close(limits);
    if (got <= 0) return 0;
    used = end - file.st_size;
    for (int e = 0; e < 3; e++) {
        snprintf(name, sizeof name, "%s%s", root, endings[e]);
        if (!stat(name, &file)) used += file.st_size;
    }
    if (used <= atoll(text)) return 0;
    __atomic_add_fetch(&told->failed, 1, __ATOMIC_SEQ_CST);
    errno = ENOSPC;
    return 1;
}

static ssize_t put(int fd, const void *bytes, size_t length, off64_t at, int placed) {
    const char *path = path_of(fd);
    if (path) {
        int failing = fails(WRITE, path);
        if (failing == 1 && half && length > 1)
            length /= 2;
        else if (failing)
            return -1;
        else if (too_large(fd, path, (placed ? at : lseek(fd, 0, SEEK_CUR)) + (off_t)length))
            return -1;
    }
    return placed ? REAL(pwrite64)(fd, bytes, length, at) : REAL(write)(fd, bytes, length);
}

ssize_t write(int fd, const void *bytes, size_t length) { return put(fd, bytes, length, 0, 0); }
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) { return put(fd, bytes, length, at, 1); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) { return put(fd, bytes, length, at, 1); }

ssize_t read(int fd, void *bytes, size_t length) {
    return fails(READ, path_of(fd)) ? -1 : REAL(read)(fd, bytes, length);
}
ssize_t pread(int fd, void *bytes, size_t length, off_t at) {
    return fails(READ, path_of(fd)) ? -1 : REAL(pread)(fd, bytes, length, at);
}
ssize_t pread64(int fd, void *bytes, size_t length, off64_t at) {
    return fails(READ, path_of(fd)) ? -1 : REAL(pread64)(fd, bytes, length, at);
}

int fsync(int fd) { return fails(SYNC, path_of(fd)) ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return fails(SYNC, path_of(fd)) ? -1 : REAL(fdatasync)(fd); }
int ftruncate(int fd, off_t length) { return fails(CUT, path_of(fd)) ? -1 : REAL(ftruncate)(fd, length); }
int ftruncate64(int fd, off64_t length) { return fails(CUT, path_of(fd)) ? -1 : REAL(ftruncate64)(fd, length); }
int rename(const char *from, const char *to) { return fails(RENAME, from) ? -1 : REAL(rename)(from, to); }
int unlink(const char *path) { return fails(REMOVE, path) ? -1 : REAL(unlink)(path); }

static int mode_of(int flags, va_list rest) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, int) : 0; }

#define OPENER(name)                                                             \
    int name(const char *path, int flags, ...) {                                 \
        va_list rest;                                                            \
        va_start(rest, flags);                                                   \
        int mode = mode_of(flags, rest);                                         \
        va_end(rest);                                                            \
        return fails(OPEN, path) ? -1 : opened(REAL(name)(path, flags, mode), path); \
    }
OPENER(open)
OPENER(open64)

int close(int fd) {
    if (fd >= 0 && fd < MOST_FILES && paths[fd]) {
        char *path = paths[fd];
        paths[fd] = NULL;
        free(path);
    }
    return REAL(close)(fd);
}
