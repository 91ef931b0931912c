#include "platform/peers.h"

void peer_slice_add(struct peer_slice *slice, enum peer_list list, const struct peer *peer)
{
    struct peer *peers = slice->peers[list];
    uint32_t place = slice->counts[list];

    if (place == PEERS_MAX && peer->count <= peers[PEERS_MAX - 1].count)
        return;
    if (place < PEERS_MAX)
        slice->counts[list]++;
    else
        place--; /* the lightest goes */
    for (; place > 0 && peers[place - 1].count < peer->count; place--)
        peers[place] = peers[place - 1];
    peers[place] = *peer;
}
