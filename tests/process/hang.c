/* A disk that hangs: while the file named by HANG_WHILE is there, nothing that is flushed ever lands. And one that is slow:
 * each flush takes FLUSH_TAKES milliseconds. Loaded in front of the C library by tests/process/disk.rs. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static void hang(void)
{
    const char *name = getenv("HANG_WHILE");
    const char *takes = getenv("FLUSH_TAKES");
    while (name && access(name, F_OK) == 0)
        usleep(10000);
    for (int left = takes ? atoi(takes) : 0; left > 0; left -= 10)
        usleep(10000);
}

int fsync(int fd)
{
    hang();
    return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    hang();
    return (int)syscall(SYS_fdatasync, fd);
}
