/* Holds the rows of tcpstat.def against the header of the release that this is compiled on. */
#include <sys/types.h>

#include <netinet/in.h>
#include <netinet/tcp_var.h>
#include <stddef.h>

#define ABSENT SIZE_MAX

/* A row may be wrong only if the struct has another length, or it says that it has no field. */
#define IS_AT(name, length, offset)                                                                \
    (sizeof(struct tcpstat) != (length) || (offset) == ABSENT ||                                   \
     offsetof(struct tcpstat, tcps_##name) == (offset))

#define FIELD(name, offset_904, offset_1000)                                                       \
    _Static_assert(IS_AT(name, 904, offset_904) && IS_AT(name, 1000, offset_1000),                 \
                   "tcpstat.def: tcps_" #name " stands elsewhere");
