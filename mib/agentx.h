/* Numbers of AgentX (RFC 2741); the library does not install its header for them. */
#ifndef RSTWATCH_AGENTX_NUMBERS_H
#define RSTWATCH_AGENTX_NUMBERS_H

/* h.type of a PDU (6.1) */
enum {
    AGENTX_REGISTER = 3,
    AGENTX_GET = 5,
    AGENTX_GETNEXT,
    AGENTX_GETBULK,
    AGENTX_TESTSET,
    AGENTX_COMMITSET,
    AGENTX_UNDOSET,
    AGENTX_CLEANUPSET,
    AGENTX_NOTIFY,
    AGENTX_RESPONSE = 18,
};

/* Bits of h.flags (6.1) */
#define AGENTX_HAS_CONTEXT   0x08
#define AGENTX_NETWORK_ORDER 0x10

/* res.error of a response (6.2.16); one below 256 is of SNMP */
enum {
    AGENTX_TOO_BIG = 1,
    AGENTX_NOT_OPEN = 257,
    AGENTX_UNSUPPORTED_CONTEXT = 262,
    AGENTX_DUPLICATE_REGISTRATION = 263,
    AGENTX_PARSE_ERROR = 266,
    AGENTX_PROCESSING_ERROR = 268,
};

#endif
