/*
 * Evidence in words: comments in a capture file, and its name. Pure.
 */
#ifndef RSTWATCH_EVIDENCE_TEXT_H
#define RSTWATCH_EVIDENCE_TEXT_H

#include <stddef.h>

#include "platform/evidence.h"
#include "subagent/events.h"

#define EVIDENCE_DIRECTORY    "evidence" /* in the state directory */
#define EVIDENCE_PART         ".part"    /* behind the name of a file that is not finished */
#define EVIDENCE_COMMENT_SIZE 200        /* of a packet, with NUL */

/* Why a capture has come to its end. */
enum capture_end {
    CAPTURE_GOING_ON,
    CAPTURE_CLEARED,
    CAPTURE_TIME_OVER,
    CAPTURE_STOPPED, /* the agent has ended */
};

/* <directory>/event-<number>.pcapng. False: longer than `size`. */
bool evidence_path(char *path, size_t size, const char *directory, uint32_t number);

/* Of a whole file: which event, where, how much of it is in the file. */
void evidence_section_comment(char *comment, size_t size, const struct event *event,
                              const char *host, uint32_t peak_centi, enum capture_end end);

/* Of a packet: its cause, and what the kernel had to say. */
void evidence_packet_comment(char comment[EVIDENCE_COMMENT_SIZE], const struct evidence *evidence);

#endif
