/*
 * What an agent leaves to the next one where the disk does not have it: one mapping that
 * the sampler makes for its agents, and never reads.
 */
#ifndef RSTWATCH_HANDOVER_H
#define RSTWATCH_HANDOVER_H

#include "subagent/store.h"

struct handover;

/* Empty, with room for any log. NULL: errno. */
struct handover *handover_create(void);

/* Leaves a copy of it, in place of what was left before. */
void handover_leave(struct handover *handover, const struct stored *stored);

/*
 * What was left, added to what is in `stored`, which is older; it is left no longer. False:
 * nothing was, and `stored` is as it was.
 */
bool handover_take(struct handover *handover, struct stored *stored);

#endif
