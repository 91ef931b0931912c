"""100 pollers and one that sets, in one thread: each answer is looked at."""

import random
import selectors
import socket
import time

from lab import ber, mib
from lab.snmp import COMMUNITY_READ, COMMUNITY_WRITE

ROOT = mib.sort_key(mib.root())
RISING_OF_SENT = ROOT + (1, 5, 1, 1, 4, 2)
SAMPLE_AGE = ROOT + (1, 1, 6, 0)
COUNTERS = [ROOT + (1, 2, arc, 0) for arc in range(1, 7)]
NAMES = [*COUNTERS, SAMPLE_AGE, ROOT + (1, 3, 1, 0), ROOT + (1, 3, 2, 0), ROOT + (1, 5, 1, 1, 4, 1)]
POLLERS, POLL_S = 100, 0.1
SET_S = 0.01
PATIENCE_S = 5


class Manager:
    """One socket with one request under way, and the next when its time has come."""

    def __init__(self, address, every_s):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(address)
        self.number = 0
        self.waiting = False
        self.due = time.monotonic() + random.random() * every_s
        self.sent = 0.0

    def ask(self, community, kind, varbinds):
        self.number += 1
        self.waiting = True
        self.sent = time.monotonic()
        self.socket.send(ber.message(1, community, kind, self.number, (0, 0), varbinds))


class Managers:
    def __init__(self, port):
        address = ("127.0.0.1", port)
        self._pollers = [Manager(address, POLL_S) for _ in range(POLLERS)]
        self._setter = Manager(address, SET_S)
        self._last = {poller: [0] * len(COUNTERS) for poller in self._pollers}
        self._value, self._is_reading, self._next_set = 0, False, 0.0
        self._selector = selectors.DefaultSelector()
        for each in (*self._pollers, self._setter):
            self._selector.register(each.socket, selectors.EVENT_READ, each)
        self.answered = self.unanswered = self.sets = self.oldest_ms = 0
        self.wrong = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in (*self._pollers, self._setter):
            each.socket.close()
        self._selector.close()

    def run_until(self, deadline):
        while (now := time.monotonic()) < deadline:
            self._send_what_is_due(now)
            for key, _ in self._selector.select(0.001):
                self._take(key.data)

    def interrupted(self):
        """Who is waiting gets no answer: snmpd goes."""
        for each in (*self._pollers, self._setter):
            self.unanswered += each.waiting
            each.waiting = False
            each.number += 1000  # nothing that still comes is an answer
        self._is_reading = False

    def _send_what_is_due(self, now):
        for poller in self._pollers:
            if self._is_due(poller, now, POLL_S):
                poller.ask(COMMUNITY_READ, ber.GET, [(name, ber.NULL) for name in NAMES])
        if self._is_due(self._setter, now, SET_S):
            self._set_or_read()

    def _is_due(self, manager, now, every_s):
        if manager.waiting and now - manager.sent > PATIENCE_S:
            self.wrong.append(f"no answer in {PATIENCE_S} s")
            manager.waiting = False
        if manager.waiting or now < manager.due:
            return False
        manager.due = max(manager.due + every_s, now - every_s)
        return True

    def _set_or_read(self):
        if self._is_reading:
            self._setter.ask(COMMUNITY_WRITE, ber.GET, [(RISING_OF_SENT, ber.NULL)])
            return
        self._value = random.randint(10 ** 8, 2 ** 32 - 1)  # far above what is sent
        self._setter.ask(COMMUNITY_WRITE, ber.SET, [(RISING_OF_SENT, ber.gauge(self._value))])

    def _take(self, manager):
        answer = ber.answer(manager.socket.recv(65536))
        if answer.number != manager.number:
            return
        manager.waiting = False
        if answer.error != 0:
            self.wrong.append(f"error {answer.error}")
        elif manager is self._setter:
            self._take_setting(answer)
        else:
            self._take_poll(manager, answer)

    def _take_setting(self, answer):
        if self._is_reading:
            self.sets += 1
            self._setter.due = self._next_set
            if ber.number_of(answer.varbinds[0]) != self._value:
                self.wrong.append(f"SET {self._value}, then GET {answer.varbinds[0]}")
        else:
            self._next_set, self._setter.due = self._setter.due, 0  # is read at once
        self._is_reading = not self._is_reading

    def _take_poll(self, poller, answer):
        self.answered += 1
        if [name for name, _, _ in answer.varbinds] != NAMES:
            self.wrong.append(f"other names: {answer.varbinds}")
            return
        numbers = [ber.number_of(varbind) for varbind in answer.varbinds]
        if None in numbers:
            self.wrong.append(f"not there: {answer.varbinds}")
            return
        counts = numbers[:len(COUNTERS)]
        if any(now < before for now, before in zip(counts, self._last[poller])):
            self.wrong.append(f"counters {counts} after {self._last[poller]}")
        self._last[poller] = counts
        self.oldest_ms = max(self.oldest_ms, numbers[len(COUNTERS)])
