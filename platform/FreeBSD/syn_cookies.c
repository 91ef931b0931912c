#include "platform/FreeBSD/syn_cookies.h"

#include <string.h>

bool syn_cookies_flag(const void *bytes, size_t length, bool *flag)
{
    unsigned number = 0;

    if (length != 1 && length != sizeof number)
        return false;
    memcpy(&number, bytes, length);
    *flag = number != 0;
    return true;
}

enum syn_cookie_state syn_cookies_state(bool syncookies, bool syncookies_only)
{
    if (syncookies_only)
        return SYN_COOKIES_ALWAYS;
    return syncookies ? SYN_COOKIES_ON_OVERFLOW : SYN_COOKIES_DISABLED;
}

static uint64_t minus(uint64_t count, uint64_t less)
{
    return count > less ? count - less : 0;
}

void syn_cookies_next(struct syn_cookies *cookies, uint64_t sendcookie, uint64_t added)
{
    bool backwards = false;
    uint64_t sent, kept;

    if (cookies->started) {
        sent = counter_growth(cookies->sendcookie, sendcookie, &backwards);
        kept = counter_growth(cookies->added, added, &backwards);
        cookies->sent += minus(cookies->pending, minus(kept, sent));
        cookies->pending = minus(sent, kept);
    }
    cookies->started = true;
    cookies->sendcookie = sendcookie;
    cookies->added = added;
}
