/*
 * Causes of resets. Includes nothing: programs for the kernel are compiled with it.
 */
#ifndef RSTWATCH_CAUSES_H
#define RSTWATCH_CAUSES_H

/* Values: TcpResetCause of the MIB. 0: none, or none alone. */
enum cause {
    CAUSE_NONE = 0,
#define CAUSE(id, number, label, received, sent) CAUSE_##id = number,
#include "mib/causes.def"
#undef CAUSE
    CAUSE_SLOTS /* arrays are indexed by enum cause; [0] is unused */
};

#endif
