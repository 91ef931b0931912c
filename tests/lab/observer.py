"""A second observer: what netfilter counts in a namespace, by family and direction."""

import json
from contextlib import contextmanager
from dataclasses import dataclass

_TABLE = "rstw_observer"
_RULES = f"""
table inet {_TABLE} {{
    counter received4 {{}}
    counter received6 {{}}
    counter sent4 {{}}
    counter sent6 {{}}
    chain received {{
        type filter hook input priority -400;
        meta nfproto ipv4 tcp flags & rst == rst counter name received4
        meta nfproto ipv6 tcp flags & rst == rst counter name received6
    }}
    chain sent {{
        type filter hook output priority -400;
        meta nfproto ipv4 tcp flags & rst == rst counter name sent4
        meta nfproto ipv6 tcp flags & rst == rst counter name sent6
    }}
}}
"""


@dataclass(frozen=True)
class Resets:
    received: int
    sent: int


class Observer:
    def __init__(self, namespace):
        self._namespace = namespace

    def count(self, family):
        """Resets that passed since it was set up."""
        version = {"IPv4": "4", "IPv6": "6"}[family]
        listing = json.loads(self._namespace.run(["nft", "--json", "list", "counters"]))
        packets = {item["counter"]["name"]: item["counter"]["packets"]
                   for item in listing["nftables"] if "counter" in item}
        return Resets(packets["received" + version], packets["sent" + version])


@contextmanager
def observing(namespace):
    namespace.run(["nft", "--file", "-"], input=_RULES)
    try:
        yield Observer(namespace)
    finally:
        namespace.run(["nft", "delete", "table", "inet", _TABLE])
