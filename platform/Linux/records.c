#include "platform/Linux/records.h"

#include <bpf/btf.h>
#include <stdio.h>
#include <string.h>

#define BURST    8192
#define TOKEN_NS (NS_PER_S / 500) /* what a reset uses up */

/* The newest record may still be written when its number is given out: it is waited for, but
   not for longer than the ring gives. */
#define PATIENCE (COUNT_RECORDS / 2)

static void take_reason(struct records_reader *reader, const struct btf *btf,
                        const struct btf_enum *reason)
{
    const char prefix[] = "SK_RST_REASON_";
    const char *name = btf__name_by_offset(btf, reason->name_off);

    if (reason->val >= 0 && reason->val < RECORDS_REASONS && name &&
        strncmp(name, prefix, sizeof prefix - 1) == 0)
        snprintf(reader->reasons[reason->val], EVIDENCE_WHY, "%s", name + sizeof prefix - 1);
}

static void take_reasons(struct records_reader *reader)
{
    struct btf *btf = btf__load_vmlinux_btf();
    int id = btf ? btf__find_by_name_kind(btf, "sk_rst_reason", BTF_KIND_ENUM) : -1;
    const struct btf_type *type = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;

    for (uint32_t n = 0; type && n < btf_vlen(type); n++)
        take_reason(reader, btf, &btf_enum(type)[n]);
    btf__free(btf);
}

void records_open(struct records_reader *reader, const struct count_ring *rings)
{
    memset(reader, 0, sizeof *reader);
    reader->rings = rings;
    reader->tokens_ns = BURST * TOKEN_NS;
    for (int kind = 0; kind < COUNT_RECORD_KINDS; kind++)
        reader->next[kind] = 1;
    take_reasons(reader);
}

static uint64_t newest(const struct records_reader *reader, enum count_record_kind kind)
{
    return __atomic_load_n(&reader->rings[kind].newest, __ATOMIC_ACQUIRE);
}

/* Past what the programs have written over, or are about to. */
static void skip_lost(struct records_reader *reader, enum count_record_kind kind)
{
    uint64_t newest_number = newest(reader, kind);
    uint64_t oldest = newest_number > COUNT_RECORDS - 64 ? newest_number - (COUNT_RECORDS - 64) : 1;

    if (reader->next[kind] < oldest)
        reader->next[kind] = oldest;
}

/* A copy of record `number`; false: it is not whole, not yet or no longer. */
static bool copy_record(const struct records_reader *reader, enum count_record_kind kind,
                        uint64_t number, struct count_record *copy)
{
    const struct count_record *record = &reader->rings[kind].records[number % COUNT_RECORDS];

    if (__atomic_load_n(&record->number, __ATOMIC_ACQUIRE) != number)
        return false;
    *copy = *record;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return __atomic_load_n(&record->number, __ATOMIC_RELAXED) == number;
}

static void begin_anew(struct records_reader *reader)
{
    for (int kind = 0; kind < COUNT_RECORD_KINDS; kind++)
        reader->next[kind] = newest(reader, (enum count_record_kind)kind) + 1;
    memcpy(reader->told, reader->counted, sizeof reader->told);
}

void records_begin(struct records_reader *reader, const uint64_t counted[COUNT_DIRECTIONS],
                   int64_t now_ns)
{
    int64_t passed_ns = reader->now_ns ? now_ns - reader->now_ns : 0;
    uint64_t waiting, allowed;

    memcpy(reader->counted, counted, sizeof reader->counted);
    if (!reader->read)
        begin_anew(reader);
    reader->read = false;
    reader->now_ns = now_ns;
    reader->tokens_ns += passed_ns;
    if (reader->tokens_ns > BURST * TOKEN_NS)
        reader->tokens_ns = BURST * TOKEN_NS;
    skip_lost(reader, COUNT_RECORD_RESET);
    reader->until = newest(reader, COUNT_RECORD_RESET);
    waiting = reader->until + 1 - reader->next[COUNT_RECORD_RESET];
    allowed = (uint64_t)(reader->tokens_ns / TOKEN_NS);
    reader->stride = allowed == 0 ? UINT64_MAX : (waiting + allowed - 1) / allowed;
}

static const char *state_name(unsigned char state)
{
    static const char *const names[] = {
        "",      "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2",    "TIME_WAIT",
        "CLOSE", "CLOSE_WAIT",  "LAST_ACK", "LISTEN",   "CLOSING",   "NEW_SYN_RECV",
    };

    return state < sizeof names / sizeof *names ? names[state] : "";
}

static enum direction direction_of(int direction)
{
    return direction == COUNT_SENT ? DIRECTION_SENT : DIRECTION_RECEIVED;
}

static struct evidence evidence_of(const struct records_reader *reader,
                                   const struct count_record *record, enum count_record_kind kind)
{
    struct evidence evidence = {
        .time_ns = (int64_t)record->time_ns,
        .interface = record->interface,
        .length = record->length,
        .header_size = record->header_size,
        .kind = kind == COUNT_RECORD_TRIGGER ? EVIDENCE_TRIGGER : EVIDENCE_RESET,
        .direction = direction_of(record->direction),
        .cause = record->cause,
    };
    const char *reason = record->reason < RECORDS_REASONS ? reader->reasons[record->reason] : "";

    snprintf(evidence.why, sizeof evidence.why, "%s",
             record->reason ? reason : state_name(record->state));
    memcpy(evidence.headers, record->headers, sizeof evidence.headers);
    return evidence;
}

/* Two fields of `size` bytes, one behind the other, stand the other way round. */
static bool are_swapped(const uint8_t *a, const uint8_t *b, size_t size)
{
    return memcmp(a, b + size, size) == 0 && memcmp(a + size, b, size) == 0;
}

/* Addresses and ports of an answer are those of what it answers, the other way round. */
static bool answers(const struct count_record *reset, const struct count_record *trigger)
{
    const uint8_t *ip = reset->headers, *triggers = trigger->headers;
    bool ipv4 = ip[0] >> 4 == 4;

    return reset->tcp + 4 <= reset->header_size && trigger->tcp + 4 <= trigger->header_size &&
           ip[0] >> 4 == triggers[0] >> 4 &&
           are_swapped(ip + (ipv4 ? 12 : 8), triggers + (ipv4 ? 12 : 8), ipv4 ? 4 : 16) &&
           are_swapped(ip + reset->tcp, triggers + trigger->tcp, 2);
}

/* The segment that `reset` answers, of those up to its time; what is older goes. */
static bool find_trigger(struct records_reader *reader, const struct count_record *reset,
                         struct count_record *trigger)
{
    uint64_t *next = &reader->next[COUNT_RECORD_TRIGGER];

    skip_lost(reader, COUNT_RECORD_TRIGGER);
    for (uint64_t last = newest(reader, COUNT_RECORD_TRIGGER); *next <= last; ++*next) {
        if (!copy_record(reader, COUNT_RECORD_TRIGGER, *next, trigger))
            continue;
        if (trigger->time_ns > reset->time_ns)
            return false;
        if (answers(reset, trigger)) {
            ++*next;
            return true;
        }
    }
    return false;
}

/* The next reset to pass on; false: none now. */
static bool next_reset(struct records_reader *reader, struct count_record *reset)
{
    uint64_t *next = &reader->next[COUNT_RECORD_RESET];

    for (; *next <= reader->until; ++*next) {
        if (*next % reader->stride != 0)
            continue;
        if (copy_record(reader, COUNT_RECORD_RESET, *next, reset)) {
            ++*next;
            return true;
        }
        if (newest(reader, COUNT_RECORD_RESET) - *next < PATIENCE)
            return false; /* still being written */
    }
    return false;
}

/* Once all is read that was recorded when the resets were counted. A record is given its number
   before it is counted, so none of these is one that is still to come. */
static bool tell_missed(struct records_reader *reader, struct evidence *evidence)
{
    if (reader->next[COUNT_RECORD_RESET] <= reader->until)
        return false;
    for (int direction = 0; direction < COUNT_DIRECTIONS; direction++) {
        uint64_t missed = reader->counted[direction] - reader->told[direction];

        if (reader->counted[direction] <= reader->told[direction])
            continue;
        reader->told[direction] = reader->counted[direction];
        *evidence = (struct evidence){
            .time_ns = reader->now_ns,
            .kind = EVIDENCE_MISSED,
            .direction = direction_of(direction),
            .missed = missed > UINT32_MAX ? UINT32_MAX : (uint32_t)missed,
        };
        return true;
    }
    return false;
}

bool records_read(struct records_reader *reader, struct evidence *evidence)
{
    struct count_record reset, trigger;

    reader->read = true;
    if (reader->has_reset) {
        *evidence = reader->reset;
        reader->has_reset = false;
        return true;
    }
    if (!next_reset(reader, &reset))
        return tell_missed(reader, evidence);
    reader->tokens_ns -= TOKEN_NS;
    reader->told[reset.direction == COUNT_SENT ? COUNT_SENT : COUNT_RECEIVED]++;
    reader->reset = evidence_of(reader, &reset, COUNT_RECORD_RESET);
    reader->has_reset = true;
    if (reset.direction == COUNT_SENT && find_trigger(reader, &reset, &trigger))
        *evidence = evidence_of(reader, &trigger, COUNT_RECORD_TRIGGER);
    else
        return records_read(reader, evidence);
    return true;
}
