/* What the kernel answers to the source nftables, with anything for attributes. Only the kernel
   sends it, and the lengths of its messages are right. */
#include "platform/Linux/nftables.c"

#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct nlmsghdr header = {.nlmsg_len = (uint32_t)(sizeof header + size), .nlmsg_type = 0xa12};
    struct nlmsghdr *message = calloc(1, NLMSG_ALIGN(header.nlmsg_len)); /* as sent, padded */
    struct answer answer = {.found = 0};

    if (!message)
        abort();
    *message = header;
    memcpy(message + 1, bytes, size);
    HOLDS(mnl_cb_run(message, header.nlmsg_len, 0, 0, take_counter, &answer) >= MNL_CB_OK);
    HOLDS(answer.found <= 1);
    free(message);
    return 0;
}
