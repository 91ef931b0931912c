#include "subagent/evidence_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "subagent/evidence_text.h"

#define PATH_SIZE 1200

/* ---- Names ---- */

static bool directory_path(char path[PATH_SIZE], const char *state_directory)
{
    int length = snprintf(path, PATH_SIZE, "%s/" EVIDENCE_DIRECTORY, state_directory);

    return length > 0 && length < PATH_SIZE;
}

static bool part_path(char path[PATH_SIZE], const char *state_directory, uint32_t number)
{
    size_t room = PATH_SIZE - sizeof EVIDENCE_PART;

    if (!evidence_path(path, room, state_directory, number)) {
        errno = ENAMETOOLONG;
        return false;
    }
    strcat(path, EVIDENCE_PART);
    return true;
}

/* The number of an event whose file, finished or not, has this name. */
static bool is_name_of(const char *name, bool part, uint32_t *number)
{
    char wanted[64];

    if (sscanf(name, "event-%u.", number) != 1)
        return false;
    snprintf(wanted, sizeof wanted, "event-%u.pcapng%s", *number, part ? EVIDENCE_PART : "");
    return strcmp(name, wanted) == 0;
}

/* ---- One file ---- */

int evidence_files_begin(const char *state_directory, uint32_t number)
{
    char directory[PATH_SIZE], path[PATH_SIZE];

    if (!directory_path(directory, state_directory) || !part_path(path, state_directory, number))
        return -1;
    if (mkdir(directory, 0700) != 0 && errno != EEXIST)
        return -1;
    return open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* So that the new name outlives a power failure, too. */
static bool sync_directory(const char *state_directory)
{
    char path[PATH_SIZE];
    int directory;
    bool synced;

    directory_path(path, state_directory);
    directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return false;
    synced = fsync(directory) == 0;
    close(directory);
    return synced;
}

bool evidence_files_end(int file)
{
    bool synced = fsync(file) == 0;
    int error = errno;

    if (close(file) == 0 && synced)
        return true;
    errno = synced ? errno : error;
    return false;
}

bool evidence_files_name(const char *state_directory, uint32_t number)
{
    char part[PATH_SIZE], path[PATH_SIZE];

    return part_path(part, state_directory, number) &&
           evidence_path(path, sizeof path, state_directory, number) && rename(part, path) == 0 &&
           sync_directory(state_directory);
}

void evidence_files_drop(const char *state_directory, uint32_t number)
{
    char path[PATH_SIZE];

    if (part_path(path, state_directory, number))
        unlink(path);
}

bool evidence_files_has(const char *state_directory, uint32_t number)
{
    char path[PATH_SIZE];

    return evidence_path(path, sizeof path, state_directory, number) && access(path, F_OK) == 0;
}

/* ---- All of them ---- */

struct found {
    uint32_t count;
    uint32_t oldest; /* number */
};

/* How many there are of a kind, and the lowest of their numbers. */
static struct found find(const char *state_directory, bool part)
{
    struct found found = {0, UINT32_MAX};
    char path[PATH_SIZE];
    const struct dirent *entry;
    uint32_t number;
    DIR *directory;

    if (!directory_path(path, state_directory) || !(directory = opendir(path)))
        return found;
    while ((entry = readdir(directory)) != NULL) {
        if (!is_name_of(entry->d_name, part, &number))
            continue;
        found.count++;
        if (number < found.oldest)
            found.oldest = number;
    }
    closedir(directory);
    return found;
}

void evidence_files_drop_all(const char *state_directory,
                             void (*dropped)(uint32_t number, void *context), void *context)
{
    struct found found;

    while ((found = find(state_directory, true)).count > 0) {
        char path[PATH_SIZE];

        if (!part_path(path, state_directory, found.oldest) || unlink(path) != 0)
            return;
        dropped(found.oldest, context);
    }
}

void evidence_files_delete_old(const char *state_directory, uint32_t keep,
                               void (*deleted)(uint32_t number, void *context), void *context)
{
    struct found found;

    while ((found = find(state_directory, false)).count > keep) {
        char path[PATH_SIZE];

        if (!evidence_path(path, sizeof path, state_directory, found.oldest) || unlink(path) != 0)
            return;
        deleted(found.oldest, context);
    }
}
