#include "subagent/evidence_text.h"

#include <stdio.h>

#include "subagent/summary.h"

/* A rate in hundredths, for printf("%u.%02u"). */
#define CENTI(rate) (rate) / 100, (rate) % 100

bool evidence_path(char *path, size_t size, const char *directory, uint32_t number)
{
    int length =
        snprintf(path, size, "%s/" EVIDENCE_DIRECTORY "/event-%u.pcapng", directory, number);

    return length > 0 && (size_t)length < size;
}

static const char *end_words(enum capture_end end)
{
    static const char *const words[] = {
        [CAPTURE_GOING_ON] = "on, not finished",
        [CAPTURE_CLEARED] = "until the alarm cleared",
        [CAPTURE_TIME_OVER] = "until 60 s after",
        [CAPTURE_STOPPED] = "until rstwatchd ended",
    };

    return words[end];
}

void evidence_section_comment(char *comment, size_t size, const struct event *event,
                              const char *host, uint32_t peak_centi, enum capture_end end)
{
    const struct evidence_file *file = &event->evidence;

    snprintf(comment, size,
             "rstwatchd: event %u at host %s. "
             "Metric %s: alarm raised at %u.%02u/s, threshold %u.%02u/s, peak %u.%02u/s. "
             "From 10 s before the crossing %s: %u packets; %u resets not kept.",
             event->number, host, metric_names[event->metric], CENTI(event->value_centi),
             CENTI(event->threshold_centi), CENTI(peak_centi), end_words(end), file->packets,
             file->not_kept);
}

void evidence_packet_comment(char comment[EVIDENCE_COMMENT_SIZE], const struct evidence *evidence)
{
    const char *kernel = evidence->why[0] != '\0' ? "; kernel: " : "";

    if (evidence->kind == EVIDENCE_TRIGGER)
        snprintf(comment, EVIDENCE_COMMENT_SIZE,
                 "segment received, answered by the reset that follows%s%s", kernel, evidence->why);
    else if (evidence->cause == CAUSE_NONE || evidence->cause >= CAUSE_SLOTS)
        snprintf(comment, EVIDENCE_COMMENT_SIZE, "reset %s, cause not known%s%s",
                 metric_names[evidence->direction], kernel, evidence->why);
    else
        snprintf(comment, EVIDENCE_COMMENT_SIZE, "reset %s: %s (%s)%s%s",
                 metric_names[evidence->direction],
                 summary_cause((enum metric)evidence->direction, (enum cause)evidence->cause),
                 cause_labels[evidence->cause], kernel, evidence->why);
}
