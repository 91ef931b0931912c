/*
 * A disk that hangs, to a program that loads this first: what is to reach the disk
 * waits for as long as the file $DISK_HANGS_FILE, of one byte, is not 0. The file is
 * mapped at the start, before the program empties its environment and gives up rights.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <unistd.h>

static const volatile char *hangs;

__attribute__((constructor)) static void map_switch(void)
{
    const char *name = getenv("DISK_HANGS_FILE");
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    void *mapped;

    if (file < 0)
        return;
    mapped = mmap(NULL, 1, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (mapped == MAP_FAILED)
        abort();
    hangs = mapped;
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
