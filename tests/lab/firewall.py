"""Rules of a firewall, for a while."""

from contextlib import contextmanager


@contextmanager
def rules(namespace, text):
    """`text`: chains in nft's language."""
    namespace.run(["nft", "--file", "-"], input=f"table inet rstw_firewall {{ {text}\n }}")
    try:
        yield
    finally:
        namespace.run(["nft", "delete", "table", "inet", "rstw_firewall"])
