#include "platform/rights.h"

#include <cap-ng.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define READING CAP_NET_ADMIN /* what nftables asks for */

bool rights_become(const struct passwd *user, bool reading, char *error, size_t error_size)
{
    int result;

    capng_clear(CAPNG_SELECT_CAPS);
    if (reading)
        capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, READING);
    errno = 0;
    result = capng_change_id((int)user->pw_uid, (int)user->pw_gid, CAPNG_INIT_SUPP_GRP);
    if (result == 0)
        return true;
    snprintf(error, error_size, "user %s: %s (capng_change_id %d)", user->pw_name, strerror(errno),
             result);
    return false;
}

bool rights_give_up_reading(char *error, size_t error_size)
{
    if (capng_get_caps_process() == 0 &&
        capng_update(CAPNG_DROP, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE, READING) ==
            0 &&
        capng_apply(CAPNG_SELECT_CAPS) == 0)
        return true;
    snprintf(error, error_size, "giving up CAP_NET_ADMIN: %s", strerror(errno));
    return false;
}
