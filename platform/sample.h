/*
 * One reading of the kernel's TCP counters: what every reader delivers and
 * what every later stage consumes. Plain data, no pointers: it is shared
 * between processes as it is.
 */
#ifndef RSTWATCH_SAMPLE_H
#define RSTWATCH_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/causes.h"

#define NS_PER_S INT64_C(1000000000) /* of all that ends in _ns */

enum counter {
#define COUNTER(id, group, arc, name, linux_source, freebsd_source, unit, meaning) COUNTER_##id,
#include "mib/counters.def"
#undef COUNTER
/* By cause: see cause_counter(). */
#define CAUSE(id, number, label, received, sent) COUNTER_RECEIVED_##id,
#include "mib/causes.def"
#undef CAUSE
#define CAUSE(id, number, label, received, sent) COUNTER_SENT_##id,
#include "mib/causes.def"
#undef CAUSE
    COUNTER_COUNT
};

/* This counter and those after it are counted by cause. */
#define COUNTER_BY_CAUSE COUNTER_RECEIVED_NO_LISTENER

/* Values: TcpResetDirection of the MIB, an INDEX. */
enum direction { DIRECTION_RECEIVED = 1, DIRECTION_SENT = 2 };

/* How a direction is counted. Values: TcpResetMethod of the MIB; 0 = unknown. */
enum method { METHOD_UNKNOWN = 0, METHOD_EXACT = 1, METHOD_ESTIMATED = 2 };

/* How the causes are known, and with them the counters by cause. Values:
   tcpResetCauseMethod of the MIB; 0 = unknown. */
enum cause_method {
    CAUSES_UNKNOWN = 0,
    CAUSES_MEASURED = 1, /* of each reset; the counters add up to that of the direction */
    CAUSES_DERIVED = 2,  /* from the kernel's counters, as far as these tell */
};

/* Values: TcpResetSynCookieState of the MIB; 0 = unknown. */
enum syn_cookie_state {
    SYN_COOKIES_UNKNOWN = 0,
    SYN_COOKIES_DISABLED = 1,
    SYN_COOKIES_ON_OVERFLOW = 2,
    SYN_COOKIES_ALWAYS = 3,
};

/* Bit numbers of tcpResetSources. */
enum source {
    SOURCE_PROCFS = 0,
    SOURCE_REPLAY = 1,
    SOURCE_BPF = 2,
    SOURCE_NFTABLES = 3,
    SOURCE_FREEBSD_SYSCTL = 4,
    SOURCE_FREEBSD_BPF = 5,
    SOURCE_COUNT
};

struct sample {
    uint64_t sequence; /* 1, 2, 3 …: every sample of this sampler; set by it */
    int64_t time_ns;   /* CLOCK_MONOTONIC just before the counters were read */
    int64_t good_ns;   /* time_ns of the newest reading that worked, 0 = none; set by the sampler */
    uint64_t valid;    /* the counters that are known (counter_set); unknown is never 0 */
    uint64_t counter[COUNTER_COUNT]; /* cumulative, modulo 2^64 */
    uint32_t sources;                /* bit n: source n (enum source) is active */
    uint32_t read_failures;          /* reads of a source that failed so far; set by the sampler */
    uint32_t discontinuities; /* times a counter could not be continued; set by the sampler */
    int64_t discontinuity_ns; /* time_ns of the newest of these, or of the first sample */
    bool restarted;   /* by a reader: its counters do not continue those of the reading before */
    bool peers_known; /* the source tells peers, in slices of their own: none then are none */
    uint8_t received_method;  /* enum method */
    uint8_t sent_method;      /* enum method */
    uint8_t cause_method;     /* enum cause_method */
    uint8_t syn_cookie_state; /* enum syn_cookie_state */
};

_Static_assert(COUNTER_COUNT <= 64, "struct sample has 64 valid bits");

/* A set of counters: bit n is enum counter n, as in `valid`. */
typedef uint64_t counter_set;

static inline counter_set counter_bit(enum counter id)
{
    return UINT64_C(1) << id;
}

/* The MIB name of each counter, or "received.<cause>", "sent.<cause>"; by enum counter. */
extern const char *const counter_names[COUNTER_COUNT];

/* The label of each cause as in the MIB, by enum cause; [CAUSE_NONE] is "other". */
extern const char *const cause_labels[CAUSE_SLOTS];

/* The counter of the resets of that direction that have this cause, which is not CAUSE_NONE. */
static inline enum counter cause_counter(enum direction direction, enum cause cause)
{
    enum counter first =
        direction == DIRECTION_SENT ? COUNTER_SENT_NO_LISTENER : COUNTER_RECEIVED_NO_LISTENER;

    return first + cause - CAUSE_NO_LISTENER;
}

/* The cause that a counter by cause is of. */
static inline enum cause counter_cause(enum counter id)
{
    return (enum cause)((id - COUNTER_BY_CAUSE) % (CAUSE_SLOTS - CAUSE_NO_LISTENER) +
                        CAUSE_NO_LISTENER);
}

/* The counters of that direction whose cause is in `causes` (bit n: enum cause n). */
static inline counter_set counters_by_cause(enum direction direction, uint32_t causes)
{
    return (counter_set)(causes >> CAUSE_NO_LISTENER)
           << cause_counter(direction, CAUSE_NO_LISTENER);
}

static inline bool sample_has(const struct sample *sample, enum counter id)
{
    return sample->valid >> id & 1;
}

static inline bool sample_has_all(const struct sample *sample, counter_set counters)
{
    return (sample->valid & counters) == counters;
}

static inline void sample_set(struct sample *sample, enum counter id, uint64_t value)
{
    sample->counter[id] = value;
    sample->valid |= counter_bit(id);
}

/* Received and sent by a source that counts every reset: in all, by family, and the methods. */
void sample_set_exact(struct sample *sample, uint64_t received_ipv4, uint64_t received_ipv6,
                      uint64_t sent_ipv4, uint64_t sent_ipv6);

/*
 * Growth of a cumulative counter from `before` to `now`, modulo 2^64, so that a
 * wrap is growth. Growth of 2^63 or more is a step backwards: then *backwards is
 * set and 0 returned; otherwise *backwards stays as it is.
 */
uint64_t counter_growth(uint64_t before, uint64_t now, bool *backwards);

/*
 * Makes one continuous stream of what readers deliver: each counter grows by
 * what it grew in the reader, and stands still where the reader's value stepped
 * backwards, the reader restarted or the source changed; discontinuities are
 * counted and dated.
 */
struct continuity {
    bool started;
    struct sample read;      /* the newest value of each counter as it was read */
    struct sample published; /* the newest value of each counter as it was passed on */
};

/* `read`: as a reader delivered it, time_ns set. `out`: what is to be published. */
void continuity_next(struct continuity *continuity, const struct sample *read, struct sample *out);

#endif
