"""What a poller knows of the host: one GET, as snmpget prints it."""

import time
from dataclasses import dataclass

from lab import mib
from lab.snmp import NoAnswer

METRICS = ("received", "sent", "synCookies")

_COUNTERS = {"received": "tcpResetReceived.0", "sent": "tcpResetSent.0",
             "synCookies": "tcpResetSynCookiesSent.0"}
_COLUMNS = ("AlarmValue", "AlarmEffectiveRising", "AlarmEffectiveFalling", "AlarmState")
_PEAKS = {"received": "tcpResetReceivedPeak10s.0", "sent": "tcpResetSentPeak10s.0"}
_SCALARS = ("tcpResetSynCookieState.0", "tcpResetSynCookiesInUse.0", "tcpResetReceivedMethod.0",
            "tcpResetSources.0", "tcpResetAgentVersion.0")
_PEERS = {"received from": "tcpResetPeerText.1.10.1", "sent to": "tcpResetPeerText.2.10.1"}
_NAMES = (*_COUNTERS.values(), *_PEAKS.values(), *_SCALARS, *_PEERS.values(),
          *(f"tcpReset{column}.{metric}" for metric in METRICS for column in _COLUMNS))

_WORDS = {"tcpResetAlarmRaised": "raise", "tcpResetAlarmCleared": "clear"}


@dataclass(frozen=True)
class Alarm:
    metric: str
    now: float  # a second, since the poll before; None where not known, as all of these
    average: float
    rising: float
    falling: float
    peak: float
    state: str


@dataclass(frozen=True)
class Arrived:
    clock: str  # of the day, when the event happened
    name: str   # of the notification
    word: str   # "raise", "clear", or "" for others
    summary: str


@dataclass(frozen=True)
class Reading:
    answered: bool
    alarms: list
    syn_cookie_state: str
    syn_cookies_in_use: str
    method: str
    sources: str
    version: str
    peers: dict  # what was done: with whom most, in words
    notifications: list


class Poller:
    def __init__(self, station):
        self._station = station
        self._before = {}  # metric: (time, count)

    def poll(self):
        try:
            values = dict(zip(_NAMES, (value for _, value in self._station.manager.text(*_NAMES))))
        except NoAnswer:
            values = {}
        return Reading(
            answered=bool(values),
            alarms=[self._alarm(metric, values) for metric in METRICS],
            **{field: values.get(f"tcpReset{name}.0", "-") for field, name in (
                ("syn_cookie_state", "SynCookieState"), ("syn_cookies_in_use", "SynCookiesInUse"),
                ("method", "ReceivedMethod"), ("version", "AgentVersion"))},
            sources=_sources(values.get("tcpResetSources.0", "")),
            peers={done: values[name].strip('"') for done, name in _PEERS.items()
                   if "%" in values.get(name, "")},
            notifications=[_arrived(each) for each in self._station.receiver.received()
                           if each.name.startswith("tcpReset")])

    def _alarm(self, metric, values):
        value, rising, falling = (_rate(values.get(f"tcpReset{column}.{metric}"))
                                  for column in _COLUMNS[:3])
        return Alarm(metric, self._since_last_poll(metric, values.get(_COUNTERS[metric])),
                     value, rising, falling, _rate(values.get(_PEAKS.get(metric))),
                     values.get(f"tcpResetAlarmState.{metric}", "-"))

    def _since_last_poll(self, metric, count):
        if count is None or not count.isdigit():
            return None
        now = time.monotonic(), int(count)
        before = self._before.get(metric, now)
        self._before[metric] = now
        return (now[1] - before[1]) / (now[0] - before[0]) if now[0] > before[0] else None


def _sources(text):
    """snmpget -OQ gives BITS in hex."""
    return ", ".join(mib.bits("tcpResetSources", bytes.fromhex(text.strip('"')))) or "-"


def _rate(text):
    """A second; the MIB has hundredths."""
    return int(text) / 100 if text is not None and text.isdigit() else None


def _arrived(notification):
    values = notification.values
    clock = values["tcpResetEventTime"].split(",")[1].split(".")[0]
    padded = ":".join(f"{int(part):02}" for part in clock.split(":"))
    return Arrived(padded, notification.name, _WORDS.get(notification.name, ""),
                   values["tcpResetEventSummary"].strip('"'))
