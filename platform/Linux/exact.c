#include "platform/Linux/exact.h"

void exact_set(const struct exact *exact, struct sample *sample)
{
    const uint64_t *received = exact->resets[COUNT_RECEIVED];
    const uint64_t *sent = exact->resets[COUNT_SENT];

    sample_set_exact(sample, received[COUNT_IPV4], received[COUNT_IPV6], sent[COUNT_IPV4],
                     sent[COUNT_IPV6]);
}

void exact_set_causes(const struct exact *exact, struct sample *sample)
{
#define CAUSE(id, number, label, received, sent)                                                   \
    if (*(received) != '\0')                                                                       \
        sample_set(sample, COUNTER_RECEIVED_##id, exact->causes[COUNT_RECEIVED][CAUSE_##id]);      \
    if (*(sent) != '\0')                                                                           \
        sample_set(sample, COUNTER_SENT_##id, exact->causes[COUNT_SENT][CAUSE_##id]);
#include "mib/causes.def"
#undef CAUSE
    sample->cause_method = CAUSES_MEASURED;
}
