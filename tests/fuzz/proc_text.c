/* The text of /proc/net/snmp and /proc/net/netstat. */
#include "platform/Linux/proc_text.h"

#include "tests/fuzz/input.h"

static const char *const sources[] = {"Tcp:AttemptFails", "Tcp:EstabResets", "Tcp:OutRsts",
                                      "TcpExt:SyncookiesSent", "TcpExt:ListenOverflows"};

#define FIELDS (sizeof sources / sizeof *sources)

static bool parse(const uint8_t *bytes, size_t size, struct proc_field fields[FIELDS])
{
    char error[200] = "";
    bool good;

    for (size_t n = 0; n < FIELDS; n++) {
        fields[n].found = false;
        HOLDS(proc_field_init(&fields[n], sources[n]));
    }
    good = proc_text_parse((const char *)bytes, size, fields, FIELDS, error, sizeof error);
    HOLDS(good || is_one_line(error));
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct proc_field fields[FIELDS], others[FIELDS];

    if (!parse(bytes, size, fields))
        return 0;
    HOLDS(size > 0);
    /* A line more that is whole changes nothing of what was found. */
    if (bytes[size - 1] == '\n') {
        static const char line[] = "Other: Name\nOther: 1\n";
        char *longer = malloc(size + sizeof line);

        memcpy(longer, bytes, size);
        memcpy(longer + size, line, sizeof line);
        HOLDS(parse((const uint8_t *)longer, size + sizeof line - 1, others));
        for (size_t n = 0; n < FIELDS; n++)
            HOLDS(fields[n].found == others[n].found &&
                  (!fields[n].found || fields[n].value == others[n].value));
        free(longer);
    }
    return 0;
}
