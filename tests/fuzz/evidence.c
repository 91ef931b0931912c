/* A record of the sampler's as a packet of a capture file: a block is whole, and says its size at
   both ends (pcapng, "General Block Structure"). */
#include <stddef.h>

#include "subagent/evidence_text.h"
#include "subagent/pcapng.h"

#include "tests/fuzz/input.h"

static uint32_t word(const uint8_t *at)
{
    return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

static void is_block(const uint8_t *block, size_t size)
{
    HOLDS(size >= 12 && size % 4 == 0 && size <= PCAPNG_BLOCK_MAX);
    HOLDS(word(block + 4) == size && word(block + size - 4) == size);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    uint8_t *block = malloc(PCAPNG_BLOCK_MAX);
    char comment[EVIDENCE_COMMENT_SIZE], section[PCAPNG_TEXT_MAX], *text;
    struct evidence evidence;
    struct event event;
    uint32_t interface = (uint32_t)take_u64(&input), peak_centi = (uint32_t)take_u64(&input);

    take(&input, &evidence, sizeof evidence);
    evidence.why[sizeof evidence.why - 1] = '\0';
    evidence.cause %= CAUSE_SLOTS; /* what the ring has was checked by the sampler */
    evidence.direction = evidence.direction % 2 ? DIRECTION_RECEIVED : DIRECTION_SENT;
    if (evidence.header_size > EVIDENCE_HEADERS)
        evidence.header_size = EVIDENCE_HEADERS;
    evidence_packet_comment(comment, &evidence);
    HOLDS(memchr(comment, '\0', sizeof comment) != NULL);
    is_block(block, pcapng_packet(block, &(struct pcapng_packet){.interface = interface,
                                                                 .time_ns = evidence.time_ns,
                                                                 .data = evidence.headers,
                                                                 .captured = evidence.header_size,
                                                                 .original = evidence.length,
                                                                 .way = PCAPNG_INBOUND,
                                                                 .comment = comment}));
    take(&input, &event, sizeof event);
    event.metric = METRIC_FIRST + (unsigned)event.metric % METRIC_LAST;
    text = take_text(&input);
    evidence_section_comment(section, sizeof section, &event, text, peak_centi, CAPTURE_CLEARED);
    is_block(block, pcapng_section(block, section));
    is_block(block, pcapng_section(block, text));
    is_block(block, pcapng_interface(block, text, EVIDENCE_HEADERS));
    free(text);
    free(block);
    return 0;
}
