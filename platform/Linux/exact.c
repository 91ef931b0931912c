#include "platform/Linux/exact.h"

void exact_set(const struct exact *exact, struct sample *sample)
{
    const uint64_t *received = exact->resets[COUNT_RECEIVED];
    const uint64_t *sent = exact->resets[COUNT_SENT];

    sample_set(sample, COUNTER_RECEIVED, received[COUNT_IPV4] + received[COUNT_IPV6]);
    sample_set(sample, COUNTER_RECEIVED_IPV4, received[COUNT_IPV4]);
    sample_set(sample, COUNTER_RECEIVED_IPV6, received[COUNT_IPV6]);
    sample_set(sample, COUNTER_SENT, sent[COUNT_IPV4] + sent[COUNT_IPV6]);
    sample_set(sample, COUNTER_SENT_IPV4, sent[COUNT_IPV4]);
    sample_set(sample, COUNTER_SENT_IPV6, sent[COUNT_IPV6]);
    sample->received_method = METHOD_EXACT;
    sample->sent_method = METHOD_EXACT;
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
