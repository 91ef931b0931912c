"""Walks with pysnmp, by the module as pysmi compiled it: walk_pysnmp.py PORT COMMUNITY COMPILED ROOT

A line an object: OID and name.
"""

import sys

from pysnmp.hlapi import (CommunityData, ContextData, ObjectIdentity, ObjectType, SnmpEngine,
                          UdpTransportTarget, nextCmd)

port, community, compiled, root = sys.argv[1:]
below = ObjectType(ObjectIdentity(root).addMibSource(compiled).loadMibs("TCP-RESET-MIB"))
for failed, status, _, [varbind] in nextCmd(
        SnmpEngine(), CommunityData(community), UdpTransportTarget(("127.0.0.1", int(port))),
        ContextData(), below, lexicographicMode=False):
    assert not failed and not status, (failed, status)
    module, name, _ = varbind[0].getMibSymbol()
    varbind[1].prettyPrint()  # as its syntax says: an error if it cannot be
    print(varbind[0].getOid(), name)
