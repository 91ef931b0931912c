/*
 * How an agent process ends: its exit status, which is all that the sampler learns from it.
 */
#ifndef RSTWATCH_AGENT_STATUS_H
#define RSTWATCH_AGENT_STATUS_H

enum agent_status {
    AGENT_DONE,   /* it was told to */
    AGENT_FAILED, /* said in the log */
    AGENT_AGAIN,  /* and a new one is to start */
};

#endif
