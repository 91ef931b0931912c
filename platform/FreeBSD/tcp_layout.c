/* Holds the rows of tcpstat.def against the header of the release that this is compiled on. */
#include <sys/param.h>

#include <sys/queue.h>

#include <netinet/in.h>
#include <netinet/tcp_var.h>
#include <stddef.h>

#define IS_AT(name, length, offset)                                                                \
    (sizeof(struct tcpstat) != (length) || offsetof(struct tcpstat, tcps_##name) == (offset))

#define FIELD(name, offset_904, offset_1000)                                                       \
    _Static_assert(IS_AT(name, 904, offset_904) && IS_AT(name, 1000, offset_1000),                 \
                   "tcpstat.def: tcps_" #name " stands elsewhere");
#if __FreeBSD_version >= 1500000
#define NEW_FIELD(name, offset_1000) FIELD(name, 0, offset_1000)
#else
#define NEW_FIELD(name, offset_1000)
#endif
#include "platform/FreeBSD/tcpstat.def"
#undef FIELD
