/*
 * What a test switches in a program that loads a shim first: the bytes of a file, mapped at the
 * start, before the program empties its environment and gives up rights.
 */
#ifndef RSTWATCH_SOAK_SHIM_H
#define RSTWATCH_SOAK_SHIM_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The first `size` bytes of the file that the variable names; NULL: there is none. */
static inline const volatile void *map_switch(const char *variable, size_t size)
{
    const char *name = getenv(variable);
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    void *mapped;

    if (file < 0)
        return NULL;
    mapped = mmap(NULL, size, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (mapped == MAP_FAILED)
        abort();
    return mapped;
}

#endif
