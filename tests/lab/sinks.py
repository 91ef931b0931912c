"""The ways in which an operator's snmpd.conf sends notifications on.

Each line sends under a name of its own, so that a receiver can tell which way a
notification came.
"""

V1, V2C, INFORM, V3 = "sink-v1", "sink-v2c", "sink-inform", "sink-v3"
ALL = (V1, V2C, INFORM, V3)
V3_INFORM = "sink-v3-inform"

AUTH, PRIV = "sink-authentication", "sink-encryption"


def snmpd_lines(sinks, target, engine_id):
    """For snmpd.conf: to the receiver at "address:port"; engine_id is the snmpd's own."""
    lines = {
        V1: f"trapsink {target} {V1}",
        V2C: f"trap2sink {target} {V2C}",
        INFORM: f"informsink {target} {INFORM}",
        V3: f"trapsess -v 3 -e {engine_id} -u {V3} -l authPriv -a SHA -A {AUTH}"
            f" -x AES -X {PRIV} {target}",
        # An inform is of the receiver's engine, which snmpd asks for when it starts.
        V3_INFORM: f"trapsess -Ci -v 3 -u {V3_INFORM} -l authPriv -a SHA -A {AUTH}"
                   f" -x AES -X {PRIV} {target}",
    }
    return [lines[sink] for sink in sinks]


def snmptrapd_lines(engine_id):
    """For snmptrapd.conf: accepts all of them."""
    communities = [f"authCommunity log {name}" for name in (V1, V2C, INFORM)]
    return [*communities, f"authUser log {V3} priv",
            f"createUser -e {engine_id} {V3} SHA {AUTH} AES {PRIV}",
            f"authUser log {V3_INFORM} priv",
            f"createUser {V3_INFORM} SHA {AUTH} AES {PRIV}"]
