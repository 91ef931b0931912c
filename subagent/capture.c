#include "subagent/capture.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "subagent/clock.h"
#include "subagent/evidence_files.h"
#include "subagent/log.h"
#include "subagent/pcapng.h"

_Static_assert(EVIDENCE_HEADERS <= PCAPNG_DATA_MAX, "headers are not cut");
_Static_assert(EVIDENCE_COMMENT_SIZE <= PCAPNG_TEXT_MAX, "comments are not cut");

#define UNKNOWN_INTERFACE 0 /* no interface has this index */

static struct evidence_file *result_of(struct capture *capture)
{
    return &capture->event.evidence;
}

/* ---- The file ---- */

/* There is no file then, and nothing of it to count. */
static bool give_up(struct capture *capture)
{
    log_write(LOG_ERR, "event %u: its evidence cannot be written in %s/" EVIDENCE_DIRECTORY ": %s",
              capture->event.number, capture->directory, strerror(errno));
    if (capture->file >= 0)
        close(capture->file);
    evidence_files_drop(capture->directory, capture->event.number);
    *result_of(capture) = (struct evidence_file){.state = EVIDENCE_FAILED};
    capture->active = false;
    return false;
}

static bool flush(struct capture *capture)
{
    const uint8_t *from = capture->buffer;

    while (capture->used > 0) {
        ssize_t written = write(capture->file, from, capture->used);

        if (written < 0)
            return give_up(capture);
        from += written;
        capture->used -= (size_t)written;
    }
    return true;
}

/* Where the next block goes; NULL: the file has failed. */
static uint8_t *next_block(struct capture *capture)
{
    if (capture->used + PCAPNG_BLOCK_MAX > sizeof capture->buffer && !flush(capture))
        return NULL;
    return capture->buffer + capture->used;
}

static void block_written(struct capture *capture, size_t size)
{
    capture->used += size;
    result_of(capture)->bytes += (uint32_t)size;
}

static size_t write_section(struct capture *capture, uint8_t *block, enum capture_end end)
{
    char comment[PCAPNG_TEXT_MAX], host[256] = "";

    gethostname(host, sizeof host - 1);
    evidence_section_comment(comment, sizeof comment, &capture->event, host, capture->peak_centi,
                             end);
    return pcapng_section(block, comment);
}

static bool add_interface(struct capture *capture, uint32_t index)
{
    char name[IF_NAMESIZE];
    uint8_t *block = next_block(capture);

    if (!block)
        return false;
    if (index == UNKNOWN_INTERFACE || !if_indextoname(index, name))
        strcpy(name, "unknown");
    block_written(capture, pcapng_interface(block, name, EVIDENCE_HEADERS));
    capture->interfaces[capture->interface_count++] = index;
    return true;
}

static bool begin_file(struct capture *capture)
{
    capture->file = evidence_files_begin(capture->directory, capture->event.number);
    if (capture->file < 0)
        return give_up(capture);
    result_of(capture)->state = EVIDENCE_WRITING;
    block_written(capture, write_section(capture, capture->buffer, CAPTURE_GOING_ON));
    return true;
}

/* The comment is of the same size as that at the beginning. */
static bool end_file(struct capture *capture, enum capture_end end)
{
    uint8_t block[PCAPNG_BLOCK_MAX];
    size_t size = write_section(capture, block, end);

    if (!flush(capture))
        return false;
    if (pwrite(capture->file, block, size, 0) != (ssize_t)size)
        return give_up(capture);

    bool ended = evidence_files_end(capture->file);

    capture->file = -1; /* it is closed */
    if (!ended)
        return give_up(capture);
    result_of(capture)->state = EVIDENCE_COMPLETE;
    return true;
}

/* ---- Records ---- */

static bool has_interface(const struct capture *capture, uint32_t index, uint32_t *number)
{
    for (*number = 0; *number < capture->interface_count; ++*number)
        if (capture->interfaces[*number] == index)
            return true;
    return false;
}

/* The number of an interface's block, which is written before its first packet. */
static bool find_interface(struct capture *capture, uint32_t index, uint32_t *number)
{
    if (has_interface(capture, index, number))
        return true;
    if (capture->interface_count >= CAPTURE_INTERFACES - 1)
        index = UNKNOWN_INTERFACE;
    return has_interface(capture, index, number) || add_interface(capture, index);
}

static bool add_packet(struct capture *capture, const struct evidence *evidence)
{
    bool sent = evidence->kind == EVIDENCE_RESET && evidence->direction == DIRECTION_SENT;
    char comment[EVIDENCE_COMMENT_SIZE];
    struct pcapng_packet packet = {
        .time_ns = evidence->time_ns + capture->wall_ns,
        .data = evidence->headers,
        .captured = evidence->header_size,
        .original =
            evidence->length > evidence->header_size ? evidence->length : evidence->header_size,
        .way = sent ? PCAPNG_OUTBOUND : PCAPNG_INBOUND,
        .comment = comment,
    };
    uint8_t *block;

    if (!find_interface(capture, evidence->interface, &packet.interface) ||
        !(block = next_block(capture)))
        return false;
    evidence_packet_comment(comment, evidence);
    block_written(capture, pcapng_packet(block, &packet));
    result_of(capture)->packets++;
    return true;
}

static bool is_wanted(const struct capture *capture, const struct evidence *evidence)
{
    enum direction direction =
        evidence->kind == EVIDENCE_TRIGGER ? DIRECTION_SENT : evidence->direction;

    return direction == (enum direction)capture->event.metric &&
           evidence->time_ns >= capture->from_ns && evidence->time_ns <= capture->until_ns;
}

/* False: the file has failed. */
static bool take_record(struct capture *capture, const struct evidence *evidence)
{
    /* A segment without the reset that answers it would say nothing. */
    uint32_t room = evidence->kind == EVIDENCE_TRIGGER ? 2 : 1;

    if (!is_wanted(capture, evidence))
        return true;
    if (capture->file < 0 && !begin_file(capture))
        return false;
    if (evidence->kind == EVIDENCE_MISSED) {
        result_of(capture)->not_kept += evidence->missed;
        return true;
    }
    if (result_of(capture)->packets + room <= capture->packets_max)
        return add_packet(capture, evidence);
    result_of(capture)->not_kept += evidence->kind == EVIDENCE_RESET;
    return true;
}

/* What the ring gave to another before it was read here. At the beginning that is the past. */
static void count_overtaken(struct capture *capture, uint64_t expected)
{
    if (expected > 1)
        result_of(capture)->not_kept += (uint32_t)(capture->next - 1 - expected);
}

/* Up to so many of the ring's records; whether that was all. False, too, where it has failed. */
static bool take_records(struct capture *capture, uint32_t count)
{
    struct evidence evidence;

    for (; count > 0; count--) {
        uint64_t expected = capture->next;

        if (!ring_read_evidence(capture->ring, &capture->next, &evidence))
            return true;
        count_overtaken(capture, expected);
        if (!take_record(capture, &evidence))
            return false;
    }
    return false;
}

/* ---- Beginning and end ---- */

void capture_begin(struct capture *capture, const struct event *raised, uint32_t delay_s,
                   const struct ring *ring, const char *directory, uint32_t packets_max)
{
    capture->active = true;
    capture->event = *raised;
    capture->ring = ring;
    capture->directory = directory;
    capture->packets_max = packets_max;
    capture->next = 1;
    capture->from_ns = raised->time_ns - delay_s * NS_PER_S - CAPTURE_BEFORE_NS;
    capture->until_ns = raised->time_ns + CAPTURE_AFTER_NS;
    capture->end = CAPTURE_TIME_OVER;
    capture->peak_centi = raised->value_centi;
    capture->wall_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
    capture->file = -1;
    capture->interface_count = 0;
    capture->used = 0;
}

void capture_clear(struct capture *capture, int64_t time_ns)
{
    if (time_ns >= capture->until_ns)
        return;
    capture->until_ns = time_ns;
    capture->end = CAPTURE_CLEARED;
}

static void end_capture(struct capture *capture, enum capture_end end)
{
    capture->active = false;
    if (capture->file >= 0)
        end_file(capture, end);
}

void capture_name(struct capture *capture)
{
    const struct evidence_file *file = result_of(capture);

    if (!evidence_files_name(capture->directory, capture->event.number)) {
        give_up(capture);
        return;
    }
    log_write(LOG_NOTICE, "event %u: evidence is complete: %u packets, %u resets not kept",
              capture->event.number, file->packets, file->not_kept);
}

void capture_step(struct capture *capture, int64_t sampled_ns, uint32_t peak_centi)
{
    if (capture->end != CAPTURE_CLEARED && peak_centi > capture->peak_centi)
        capture->peak_centi = peak_centi;
    if (take_records(capture, CAPTURE_STEP_RECORDS) && sampled_ns > capture->until_ns)
        end_capture(capture, capture->end);
}

void capture_finish(struct capture *capture)
{
    take_records(capture, RING_EVIDENCE);
    if (capture->active)
        end_capture(capture, capture->end == CAPTURE_CLEARED ? CAPTURE_CLEARED : CAPTURE_STOPPED);
}
