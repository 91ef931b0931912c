/*
 * A disk that hangs, to a program that loads this first: what is to reach the disk
 * waits for as long as the file $DISK_HANGS_FILE, of one byte, is not 0.
 */
#define _GNU_SOURCE
#include "shim.h"

#include <sys/select.h>
#include <sys/syscall.h>

static const volatile char *hangs;

__attribute__((constructor)) static void begin(void)
{
    hangs = map_switch("DISK_HANGS_FILE", sizeof *hangs);
}

static void wait_for_disk(void)
{
    while (hangs && *hangs)
        select(0, NULL, NULL, NULL, &(struct timeval){.tv_usec = 10000});
}

int fsync(int file)
{
    wait_for_disk();
    return (int)syscall(SYS_fsync, file);
}

int fdatasync(int file)
{
    wait_for_disk();
    return (int)syscall(SYS_fdatasync, file);
}
