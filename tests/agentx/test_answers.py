"""GET, GETNEXT and GETBULK, over v1, v2c and v3: what is there, in which order.

A replay file stands still here, so that two answers can be compared. Every
object of the MIB has an instance, but for evidence, which takes real packets: the
alarm on received has been raised and switched off, that on sent is raised and will
not clear for an hour.
"""

import re

import pytest

from lab import definitions, mib, replay, sinks
from lab.snmp import Missing, Refused
from lab.station import Station

SYS_OR_ID = "1.3.6.1.2.1.1.9.1.2"
SYS_OR_DESCRIPTION = "1.3.6.1.2.1.1.9.1.3"

# SMI types as snmptranslate says them, and as an answer carries them.
WIRE_TYPES = {"String": "OCTET STRING", "BitString": "OCTET STRING", "Unsigned": "Gauge32",
              "Gauge": "Gauge32", "Counter": "Counter32", "Counter64": "Counter64",
              "TimeTicks": "Timeticks", "EnumVal": "INTEGER"}

CONFIGURATION = "alarm sent { clear-delay = 3600 }\n"

# These change by themselves: the age, and the minute that a burst stays in a window.
MOVING = ["tcpResetSampleAge.0", "tcpResetReceivedAvg60s.0", "tcpResetSentAvg60s.0",
          "tcpResetPeers"]

EVENT_COLUMNS = {f"tcpResetEvent{name}" for name in (
    "Number", "Time", "UpTime", "Kind", "Metric", "MetricName", "Value", "Threshold", "Peak",
    "Duration", "Method", "SynCookieState", "Cause", "Summary", "Delivery")}
PEER_COLUMNS = {f"tcpResetPeer{name}" for name in (
    "AddressType", "Address", "Count", "Share", "Port", "Cause", "Text")}
PORT_COLUMNS = {f"tcpResetPort{name}" for name in (
    "Number", "Count", "Share", "Cause", "Text")}
PEER_TOTAL_COLUMNS = {"tcpResetPeerTotal", "tcpResetPeerOthers", "tcpResetPortOthers"}
CAUSE_COLUMNS = {f"tcpResetCause{name}" for name in ("Label", "Count", "Avg10s", "Method")}
INDEX_PARTS = dict.fromkeys(PEER_COLUMNS | PORT_COLUMNS, 3)
INDEX_PARTS |= dict.fromkeys(CAUSE_COLUMNS | PEER_TOTAL_COLUMNS, 2)

BURST = 10000  # resets in one sample: raises at once


def everything(path):
    """Every counter known and different; bursts of received and sent after 300 ms."""
    start = {each.name: 1000 + number for number, each in enumerate(definitions.counters())}
    start |= {f"{direction}.{each.label}": 2000 for each in definitions.causes()
              for direction in ("received", "sent")}
    burst = {name: start[name] + BURST for name in (
        "tcpResetReceived", "received.blind", "tcpResetSent", "sent.aborted")}
    burst |= replay.peers("received", ("192.0.2.7", 443, "blind", BURST))
    burst |= replay.peers("sent", ("2001:db8::7", 80, "aborted", BURST - 1),
                          ("192.0.2.7", 443, "aborted", 1))
    return replay.write(path, (0, start), (300, burst))


@pytest.fixture(scope="module")
def station(directory):
    source = everything(directory / "everything.replay")
    with Station(directory, source=source, configuration=CONFIGURATION,
                 notify_by=[sinks.V2C]) as station:
        station.start()
        station.receiver.wait_for("tcpResetAlarmRaised", count=2, timeout=5)
        station.operator.set(("tcpResetAlarmEnabled.received", "i", 2))
        station.receiver.wait_for("tcpResetAlarmCleared", timeout=5)
        station.daemon.wait_until_quiet()  # or averages would move while they are compared
        yield station


@pytest.fixture(params=["v2c", "v3"])
def manager(request, station):
    return getattr(station.snmpd, request.param)


@pytest.fixture(scope="module")
def walk(station):
    return station.manager.walk()


def still(varbinds):
    """Those that must be the same in every answer."""
    moving = tuple(mib.oid(name) + "." for name in MOVING)
    return [each for each in varbinds if not f"{each.oid}.".startswith(moving)]


def oids(varbinds):
    return [each.oid for each in varbinds]


def below_root(varbinds):
    return [each for each in varbinds if each.oid.startswith(mib.root() + ".")]


def get_next_chain(manager, names):
    """The varbinds that a chain of GETNEXT from the root meets, if it meets `names`."""
    return below_root(manager.next(mib.ROOT_NAME, *names))


def test_a_walk_is_in_order_and_meets_nothing_twice(walk):
    keys = [mib.sort_key(each.oid) for each in walk]
    assert keys == sorted(set(keys))


def test_a_walk_is_the_chain_of_getnext(manager, walk):
    assert still(get_next_chain(manager, oids(walk))) == still(walk)


def test_a_walk_is_a_get_of_each_instance(manager, walk):
    assert still(manager.varbinds(*oids(walk))) == still(walk)


def test_walks_of_v2c_and_v3_are_the_same(manager, walk):
    assert still(manager.walk()) == still(walk)


def test_v1_skips_counter64_and_goes_on(station, walk):
    expected = [each for each in walk if each.type != "Counter64"]
    assert len(expected) < len(walk)
    assert still(station.snmpd.v1.walk()) == still(expected)
    assert still(get_next_chain(station.snmpd.v1, oids(expected))) == still(expected)
    assert still(station.snmpd.v1.varbinds(*oids(expected))) == still(expected)


def test_v1_has_no_name_for_a_counter64(station):
    with pytest.raises(Refused) as refused:
        station.snmpd.v1.get("tcpResetReceived.0")
    assert refused.value.status == "noSuchName"


def test_every_object_of_the_mib_is_answered(walk):
    """But for evidence: a replay has none (test_evidence)."""
    readable = {each.name for each in mib.objects().values() if each.access != "not-accessible"
                and not each.name.startswith("tcpResetEvidence")}
    assert {mib.name(each.oid).split(".")[0] for each in walk} == readable


def test_a_walk_meets_every_row(walk):
    rows = {}
    for each in walk:
        column, instance = mib.name(each.oid).split(".", 1)
        rows.setdefault(column, []).append(instance)
    only = {"tcpResetAlarmPeak": ["2"], "tcpResetEventPeak": ["3"], "tcpResetEventDuration": ["3"]}
    only |= {column: [f"{direction}.{cause}" for direction in (1, 2) for cause in range(1, 12)]
             for column in CAUSE_COLUMNS}
    only |= dict.fromkeys(PEER_COLUMNS | PORT_COLUMNS, ["1.60.1", "2.60.1", "2.60.2"])
    only |= dict.fromkeys(PEER_TOTAL_COLUMNS, ["1.10", "1.60", "2.10", "2.60"])
    for column in rows:
        of_table = column.startswith("tcpResetAlarm") or column in EVENT_COLUMNS
        assert rows[column] == only.get(column, ["1", "2", "3"] if of_table else ["0"]), column


def test_nothing_is_answered_that_is_not_in_the_mib(walk):
    for each in walk:
        name, *instance = mib.name(each.oid).split(".")
        assert mib.objects()[name].access != "not-accessible"
        assert len(instance) == INDEX_PARTS.get(name, 1)


def test_types_are_those_of_the_mib(walk):
    for each in walk:
        declared = mib.objects()[mib.name(each.oid).split(".")[0]]
        assert each.type == WIRE_TYPES[declared.type], mib.name(each.oid)


def test_enumerations_have_a_label_for_each_value(walk):
    for each in walk:
        declared = mib.objects()[mib.name(each.oid).split(".")[0]]
        if declared.type == "EnumVal" and declared.labels:
            assert each.value in dict(declared.labels).values(), mib.name(each.oid)


def test_each_counter_answers_with_its_own_value(station):
    rows = definitions.counters()
    answered = [each.value for each in station.manager.varbinds(*(f"{row.name}.0" for row in rows))]
    assert answered == [expected_of(number, row) for number, row in enumerate(rows)]


def expected_of(number, row):
    """Resets are counted from the daemon's start; what the kernel counts, from its own."""
    if row.name in ("tcpResetReceived", "tcpResetSent"):
        return BURST
    return 0 if row.linux_source == "(per family)" else 1000 + number


@pytest.mark.parametrize("repetitions", [1, 7, 1000])
def test_getbulk_is_the_walk_as_far_as_it_goes(manager, walk, repetitions):
    answer = still(below_root(manager.bulk(mib.ROOT_NAME, repetitions=repetitions)))
    expected = still(walk[:repetitions])
    assert answer == expected


def test_getbulk_of_1000_ends_where_the_module_ends(station, walk):
    answer = station.manager.bulk(mib.ROOT_NAME, repetitions=1000)
    after = [each for each in answer if each not in below_root(answer)]
    assert len(answer) > len(walk)
    assert mib.sort_key(after[0].oid) > mib.sort_key(walk[-1].oid) \
        or after[0].value is Missing.endOfMibView


def test_getbulk_of_two_columns_and_a_scalar(station):
    columns = ["tcpResetAlarmName", "tcpResetAlarmState"]
    answer = station.manager.bulk("tcpResetAgentVersion", *columns, repetitions=3, non_repeaters=1)
    names = [mib.name(each.oid) for each in answer]
    assert names == ["tcpResetAgentVersion.0",
                     *(f"{column}.{metric}" for metric in (1, 2, 3) for column in columns)]


def before_root():
    *arcs, last = mib.sort_key(mib.root())
    return ".".join(map(str, (*arcs, last - 1)))


@pytest.mark.parametrize("before, after", [
    (before_root(), "tcpResetAgentVersion.0"),
    (f"{before_root()}.99", "tcpResetAgentVersion.0"),
    ("tcpResetMIB", "tcpResetAgentVersion.0"),
    ("tcpResetNotifications", "tcpResetAgentVersion.0"),
    ("tcpResetObjects", "tcpResetAgentVersion.0"),
    ("tcpResetAgentVersion", "tcpResetAgentVersion.0"),
    ("tcpResetAgentVersion.0", "tcpResetSampleInterval.0"),
    ("tcpResetAgentVersion.0.5", "tcpResetSampleInterval.0"),
    ("tcpResetAgentVersion.4294967295", "tcpResetSampleInterval.0"),
    ("tcpResetAgent.99", "tcpResetReceived.0"),
    ("tcpResetCounters.99.1.2.3", "tcpResetReceivedAvg10s.0"),
    ("tcpResetAlarmTable", "tcpResetAlarmName.1"),
    ("tcpResetAlarmMetric.1", "tcpResetAlarmName.1"),
    ("tcpResetAlarmName", "tcpResetAlarmName.1"),
    ("tcpResetAlarmName.0", "tcpResetAlarmName.1"),
    ("tcpResetAlarmName.1.1", "tcpResetAlarmName.2"),
    ("tcpResetAlarmName.3", "tcpResetAlarmEnabled.1"),
    ("tcpResetAlarmName.4294967295", "tcpResetAlarmEnabled.1"),
    ("tcpResetEventNumber.1", "tcpResetEventNumber.2"),
    ("tcpResetEventNumber.3", "tcpResetEventTime.1"),
    ("tcpResetEventMethod.3", "tcpResetEventSynCookieState.1"),
    ("tcpResetEventSynCookieState.3", "tcpResetEventCause.1"),
    ("tcpResetEventDelivery.3", "tcpResetCauseLabel.1.1"),
    ("tcpResetCauseDirection.1.1", "tcpResetCauseLabel.1.1"),
    ("tcpResetCauseCount.0.99", "tcpResetCauseCount.1.1"),
    ("tcpResetCauseCount.1", "tcpResetCauseCount.1.1"),
    ("tcpResetCauseCount.received.noListener", "tcpResetCauseCount.1.2"),
    ("tcpResetCauseCount.received.noListener.0", "tcpResetCauseCount.1.2"),
    ("tcpResetCauseCount.received.unexplained", "tcpResetCauseCount.2.1"),
    ("tcpResetCauseCount.received.4294967295", "tcpResetCauseCount.2.1"),
    ("tcpResetCauseCount.sent.4294967295", "tcpResetCauseAvg10s.1.1"),
    ("tcpResetCauseCount.4294967295.4294967295", "tcpResetCauseAvg10s.1.1"),
    ("tcpResetPeerTotalTable", "tcpResetPeerTotal.1.10"),
    ("tcpResetPeerTotal.received", "tcpResetPeerTotal.1.10"),
    ("tcpResetPeerTotal.received.10", "tcpResetPeerTotal.1.60"),
    ("tcpResetPeerTotal.received.59.4294967295", "tcpResetPeerTotal.1.60"),
    ("tcpResetPeerTotal.received.60", "tcpResetPeerTotal.2.10"),
    ("tcpResetPeerTotal.sent.4294967295", "tcpResetPeerOthers.1.10"),
])
def test_getnext_from_anywhere(station, before, after):
    assert mib.name(station.manager.next(before)[0].oid) == after


@pytest.mark.parametrize("last", ["tcpResetPortOthers.2.60", "tcpResetConformance",
                                  "tcpResetConformance.2.12"])
def test_getnext_after_the_last_leaves_the_module(station, last):
    after = station.manager.next(last)
    assert below_root(after) == [] or after[0].value is Missing.endOfMibView


@pytest.mark.parametrize("name, expected", [
    ("tcpResetReceived.1", Missing.noSuchInstance),
    ("tcpResetReceived.0.0", Missing.noSuchInstance),
    ("tcpResetReceived", Missing.noSuchInstance),
    ("tcpResetAlarmState.0", Missing.noSuchInstance),
    ("tcpResetAlarmState.4", Missing.noSuchInstance),
    ("tcpResetAlarmState.1.1", Missing.noSuchInstance),
    ("tcpResetEventNumber.0", Missing.noSuchInstance),
    ("tcpResetEventNumber.4", Missing.noSuchInstance),
    ("tcpResetEventPeak.1", Missing.noSuchInstance),  # a raise has none
    ("tcpResetEventDuration.1", Missing.noSuchInstance),
    ("tcpResetCauseCount.1", Missing.noSuchInstance),
    ("tcpResetCauseCount.1.0", Missing.noSuchInstance),
    ("tcpResetCauseCount.1.12", Missing.noSuchInstance),
    ("tcpResetCauseCount.3.1", Missing.noSuchInstance),
    ("tcpResetCauseCount.1.1.0", Missing.noSuchInstance),
    ("tcpResetCauseId.1.1", Missing.noSuchObject),
    ("tcpResetPeerText.1.10.1", Missing.noSuchInstance),  # 10 s ago there was none
    ("tcpResetPeerText.1.60", Missing.noSuchInstance),
    ("tcpResetPeerText.1.60.11", Missing.noSuchInstance),
    ("tcpResetPeerTotal.1.30", Missing.noSuchInstance),
    ("tcpResetPeerRank.1.60.1", Missing.noSuchObject),
    ("tcpResetAlarmPeak.received", Missing.noSuchInstance),  # not raised any more
    ("tcpResetCounters.99.0", Missing.noSuchObject),
    ("tcpResetAlarmMetric.1", Missing.noSuchObject),
    ("tcpResetEventIndex.1", Missing.noSuchObject),
    ("tcpResetNotifications.1", Missing.noSuchObject),
])
def test_get_of_what_is_not_there(station, name, expected):
    assert station.manager.get(name) is expected


def test_one_absent_varbind_leaves_the_others_alone(station):
    answer = station.manager.values("tcpResetReceived.0", "tcpResetReceived.1", "tcpResetSent.0")
    assert [isinstance(value, Missing) for value in answer] == [False, True, False]


def test_the_module_is_listed_in_the_or_table(station):
    identifiers = station.manager.walk(SYS_OR_ID)
    rows = [each.oid.split(".")[-1] for each in identifiers if each.value == mib.root()]
    assert len(rows) == 1
    assert b"TCP-RESET-MIB" in station.manager.get(f"{SYS_OR_DESCRIPTION}.{rows[0]}")


def test_the_version_names_the_program(station):
    assert re.fullmatch(rb"rstwatch\w* \d+\.\d+.*", station.manager.get("tcpResetAgentVersion.0"))


def test_the_source_says_that_it_is_a_replay(station):
    sources = station.manager.get("tcpResetSources.0")
    assert mib.bits("tcpResetSources", sources) == ["replay"]


def test_a_walk_with_the_mib_shows_names_and_labels(station):
    shown = dict(station.manager.text("tcpResetAlarmState.sent", "tcpResetSynCookieState.0"))
    assert shown == {"tcpResetAlarmState.sent": "clearing",
                     "tcpResetSynCookieState.0": "onOverflow"}
