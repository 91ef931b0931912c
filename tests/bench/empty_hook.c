/*
 * Attaches an empty program where the daemon's programs are, in this network
 * namespace, says "attached" and waits to be ended: the links end with it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "platform/Linux/exact.h"
#include "tests/bench/empty_program.h"

int main(void)
{
    const uint32_t protocols[] = {NFPROTO_IPV4, NFPROTO_IPV6};
    const uint32_t hooks[] = {NF_INET_LOCAL_IN, NF_INET_LOCAL_OUT};
    int program = load_empty_program();
    int link = program;

    for (int n = 0; n < 4 && link >= 0; n++)
        link = netfilter_attach(program, protocols[n / 2], hooks[n % 2], EXACT_PRIORITY);
    if (link < 0) {
        fprintf(stderr, "empty_hook: %s\n", strerror(errno));
        return 1;
    }
    puts("attached");
    fflush(stdout);
    pause();
    return 0;
}
