/* FreeBSD's struct tcpstat: any length but those known is refused, and nothing is read beyond. */
#include "platform/FreeBSD/tcpstat.h"

#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    char error[200] = "", *copy = take_text(&input);
    struct tcpstat_values values;
    struct sample sample = {.time_ns = 1};

    if (!tcpstat_decode(copy, size, &values, error, sizeof error)) {
        HOLDS(is_one_line(error));
        HOLDS(size != 904 && size != 1000);
    } else {
        HOLDS(size == 904 || size == 1000);
        for (int field = 0; field < TCPSTAT_FIELDS; field++)
            HOLDS(values.known[field] || values.value[field] == 0);
        tcpstat_set(&values, &sample);
    }
    free(copy);
    return 0;
}
