/*
 * The text of /proc/net/snmp and /proc/net/netstat (Linux net/ipv4/proc.c and
 * net/mptcp/mib.c): pairs of lines, names and their values.
 *
 *   Tcp: RtoAlgorithm RtoMin RtoMax MaxConn …
 *   Tcp: 1 200 120000 -1 …
 *
 * Fields are found by name. Pure: a buffer in, numbers out.
 */
#ifndef RSTWATCH_LINUX_PROC_TEXT_H
#define RSTWATCH_LINUX_PROC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct proc_field {
    const char *source; /* "<prefix>:<name>", as in mib/counters.def; not copied */
    size_t prefix_length;
    size_t name_length; /* the name begins at source + prefix_length + 1 */
    uint64_t value;     /* 0 to 2^64-1, if found */
    bool found;
};

/* Sets up the field that `source` names; false if it is not "<prefix>:<name>". */
bool proc_field_init(struct proc_field *field, const char *source);

/*
 * Gives each of the `count` fields that stands in the text its value and sets
 * `found`; leaves the others as they are, so that one table serves several
 * texts. The text need not end in NUL.
 *
 * A header and its value line may differ in length: names without a value are
 * not found, values without a name ignored, and so are fields not asked for,
 * whatever their value (MaxConn is -1).
 *
 * False, with one line in error that names the line and the field: an empty
 * text, a line without "<prefix>:", a header without its value line, a value
 * asked for that is no number below 2^64, a text that is cut off. Cut off is a
 * last line without its newline, with one exception: a value line with nothing
 * that is asked for. Linux 5.7 and some after it end netstat so, in the line
 * MPTcpExt, while the namespace has never had an MPTCP socket.
 *
 * After an error some fields may have been found.
 */
bool proc_text_parse(const char *text, size_t length, struct proc_field *fields, size_t count,
                     char *error, size_t error_size);

#endif
