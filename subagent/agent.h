/*
 * The agent process: takes each sample from the ring through averages and alarms
 * to events, snapshot and notifications, and answers over AgentX.
 */
#ifndef RSTWATCH_AGENT_H
#define RSTWATCH_AGENT_H

#include "subagent/config.h"
#include "subagent/handover.h"
#include "subagent/ring.h"

/*
 * Runs until SIGTERM, until the sampler is gone or something it needs fails, or until only
 * another agent can use the state directory. Returns an enum agent_status. `wake` becomes readable
 * when the ring has new samples; its end is the sampler's.
 */
int agent_run(const struct config *config, struct ring *ring, struct handover *handover, int wake);

#endif
