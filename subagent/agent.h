/*
 * The agent process: takes each sample from the ring through averages and alarms
 * to events, snapshot and notifications, and answers over AgentX.
 */
#ifndef RSTWATCH_AGENT_H
#define RSTWATCH_AGENT_H

#include "subagent/config.h"
#include "subagent/ring.h"

/*
 * Runs until SIGTERM (0) or until the sampler is gone or something it needs fails
 * (1). `wake` becomes readable when the ring has new samples; its end is the
 * sampler's.
 */
int agent_run(const struct config *config, struct ring *ring, int wake);

#endif
