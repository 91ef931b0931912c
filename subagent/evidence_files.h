/*
 * The directory of capture files: <state directory>/evidence. A file has another
 * name until it is finished, so that what has its name is whole.
 */
#ifndef RSTWATCH_EVIDENCE_FILES_H
#define RSTWATCH_EVIDENCE_FILES_H

#include <stdbool.h>
#include <stdint.h>

/* Begins the file of an event, and the directory where it is missing. -1: errno. */
int evidence_files_begin(const char *state_directory, uint32_t number);

/* All of it has reached the disk. It is open no more in any case. False: errno. */
bool evidence_files_end(int file);

/* Gives what has been ended its name. False: errno; ENOENT: there is none. */
bool evidence_files_name(const char *state_directory, uint32_t number);

/* Removes what has not been finished. */
void evidence_files_drop(const char *state_directory, uint32_t number);

bool evidence_files_has(const char *state_directory, uint32_t number);

/* Removes all that has not been finished, and tells of each. */
void evidence_files_drop_all(const char *state_directory,
                             void (*dropped)(uint32_t number, void *context), void *context);

/* Leaves the `keep` newest files, and tells of each that it deletes, the oldest first. */
void evidence_files_delete_old(const char *state_directory, uint32_t keep,
                               void (*deleted)(uint32_t number, void *context), void *context);

#endif
