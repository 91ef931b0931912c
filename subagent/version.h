#ifndef RSTWATCH_VERSION_H
#define RSTWATCH_VERSION_H

/* Name and version, as --version and tcpResetAgentVersion say them. */
#define RSTWATCH_VERSION "rstwatchd 0.1.0"

#endif
