/*
 * The parent process: takes a sample at every tick and sees to it that an agent
 * runs. It parses nothing that came from the network or the agent.
 */
#ifndef RSTWATCH_SUPERVISOR_H
#define RSTWATCH_SUPERVISOR_H

#include "subagent/config.h"
#include "subagent/sampler.h"

struct supervisor {
    struct sampler *sampler;
    struct config config; /* what the agent is started with */
    /* SIGHUP: reads the configuration again. False: it is wrong (said), the old one stays. */
    bool (*reload)(struct config *config);
    /* The agent process's own main: returns an enum agent_status. */
    int (*agent)(const struct config *config, struct ring *ring, int wake);
};

/* Runs until SIGTERM or SIGINT. Returns the exit status of the daemon: 1, too, when the agent did
   not end well. */
int supervisor_run(struct supervisor *supervisor);

#endif
