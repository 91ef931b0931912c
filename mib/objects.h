/*
 * The objects of TCP-RESET-MIB and their values: one table of objects, sorted by
 * OID, answers GET and GETNEXT. Knows neither net-snmp nor the wire; names are
 * relative to the root of the module.
 */
#ifndef RSTWATCH_OBJECTS_H
#define RSTWATCH_OBJECTS_H

#include "subagent/events.h"
#include "subagent/snapshot.h"

/* What an answer is taken from. It does not change while a request is answered. */
struct mib_view {
    const struct snapshot *snapshot;
    const struct event_log *events;
    uint32_t sample_interval_ms;
    uint8_t storage_state;     /* enum archive_state */
    const char *storage_error; /* "" for none */
    const char *state_directory;
    int64_t now_ns;          /* CLOCK_MONOTONIC */
    int64_t master_start_ns; /* CLOCK_MONOTONIC when sysUpTime was 0 */
};

enum mib_syntax {
    MIB_INTEGER,  /* INTEGER, TruthValue and other enumerations */
    MIB_UNSIGNED, /* Unsigned32 and Gauge32 are one type on the wire */
    MIB_COUNTER32,
    MIB_COUNTER64,
    MIB_TIMETICKS,
    MIB_BITS,
    MIB_STRING,
};

enum mib_access { MIB_READ_ONLY, MIB_READ_WRITE };

struct mib_value {
    enum mib_syntax syntax;
    uint64_t number; /* all but BITS and STRING */
    size_t length;   /* BITS, STRING: bytes in use */
    uint8_t bytes[SUMMARY_SIZE];
};

#define MIB_ARCS_MAX  5 /* of an object without its instance: .1.6.5.1.16 */
#define MIB_INDEX_MAX 3 /* parts of an instance at most; a scalar has one, the 0 */
#define MIB_NAME_MAX  (MIB_ARCS_MAX + MIB_INDEX_MAX)

struct mib_table;

struct mib_object {
    uint32_t arcs[MIB_ARCS_MAX];
    size_t arc_count;
    const char *name;
    enum mib_syntax syntax;
    enum mib_access access;
    const struct mib_table *table; /* how its instances are found */
    /* Of an instance that exists. False: it has no value now. `which` is the object's own. */
    bool (*get)(const struct mib_view *view, const uint32_t *index, int which,
                struct mib_value *value);
    int which;
};

/* All objects, sorted by OID. To be called before the others. */
const struct mib_object *mib_objects(size_t *count);

enum mib_answer { MIB_FOUND, MIB_NO_OBJECT, MIB_NO_INSTANCE };

/* The value of exactly this name. */
enum mib_answer mib_get(const struct mib_view *view, const uint32_t *name, size_t length,
                        struct mib_value *value);

/* The first instance after `name` that has a value; its name goes to next. */
bool mib_next(const struct mib_view *view, const uint32_t *name, size_t length,
              uint32_t next[MIB_NAME_MAX], size_t *next_length, struct mib_value *value);

/* Whether the row (or scalar) that `name` is of exists, with or without a value. */
bool mib_instance_exists(const struct mib_view *view, const struct mib_object *object,
                         const uint32_t *name, size_t length);

/* The object that `name` is an instance of, or would be; NULL when there is none. */
const struct mib_object *mib_object_of(const uint32_t *name, size_t length);

#endif
