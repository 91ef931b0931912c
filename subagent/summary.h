/*
 * One line for people: in the MIB, in notifications and in the log. Pure.
 */
#ifndef RSTWATCH_SUMMARY_H
#define RSTWATCH_SUMMARY_H

#include "subagent/counted.h"
#include "subagent/events.h"

/* Of an alarm as it stands: "received 412.30/s (limit 50.00), raised: 93 % refused". */
void summary_of_alarm(char summary[SUMMARY_SIZE], enum metric metric, const struct alarm *alarm,
                      const struct counted *counted);

/* Of an event whose other fields are filled in. `has_baseline`: the limit takes it into
   account, if it is to. `counted`: when it happened. */
void summary_of_event(char summary[SUMMARY_SIZE], const struct event *event, bool has_baseline,
                      const struct counted *counted);

/* Of a peer or a port: "192.0.2.7: 93 % (4123), port 443, refused". */
void summary_of_peer(char summary[SUMMARY_SIZE], enum metric metric, const struct peer *peer,
                     uint32_t percent);

/* The word for a state or method as in the MIB; "unknown" for what it has not. */
const char *syn_cookie_state_name(uint8_t state);
const char *method_name(uint8_t method);

/* The words for a cause of resets of this direction: "refused". Not for CAUSE_NONE. */
const char *summary_cause(enum metric metric, enum cause cause);

#endif
