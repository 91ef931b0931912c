#include "platform/FreeBSD/match_count.h"

/* A record is of 17 to 32 bytes: a header, and what of the packet fits behind it. */
static uint32_t records_in(uint32_t readable)
{
    if (readable == 0)
        return 0;
    return readable <= MATCH_BUFFER_BYTES ? 1 : 2;
}

uint64_t match_count_growth(struct match_count *count, uint32_t dropped, uint32_t readable)
{
    uint32_t stored = records_in(readable);
    uint64_t growth = (uint64_t)(dropped - count->dropped) + (stored - count->stored);

    *count = (struct match_count){dropped, stored};
    return growth;
}
