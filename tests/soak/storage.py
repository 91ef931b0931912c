"""The state directory full, read-only, gone or somebody else's; the disk hangs; the database
damaged.

Wanted each time: one clear line in the log, tcpResetStorageState that tells, and
measuring, answering and notifying as if nothing were wrong.
"""

import os
import random
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing, contextmanager
from pathlib import Path

from lab import cleanup
from lab.process import Process
from lab.small_disk import fill_up
from lab.snmp import Refused
from lab.wait import wait_until

from soak import reference
from soak.replayed import FIRST_CROSSING_S, finish, with_shim
from soak.site import (NOTIFICATIONS, STORAGE_FAILING, STORAGE_GOOD, STORAGE_REPLACED, Setter,
                       Site)
from soak.tally import Row, content, number_of, side_by_side, total

# A column's name in the schema: found with the first event, when alarms have been written.
FOUND_BY_INSERT = "has no column named"
GOES_ON = "measuring and answering go on"
USABLE = "can be used again"
ANOTHER = "is another one than before: a new agent takes it"
DATABASE = "rstwatch.db"
# In a database that is sound to SQLite. With the first, no event would be notified.
IMPOSSIBLE = ("UPDATE delivery SET delivered = 1000000",
              "UPDATE event SET number = 4294967295 WHERE number = 6",
              "UPDATE event SET number = 1000000 WHERE number = 1")
NOBODY = 65534
HANG_S = 8  # snmpd waits for 1 s, six times
PAGE = 4096
SCENE_S = FIRST_CROSSING_S + 10
SECONDS_SINCE_2020 = 200_000_000  # at least; numbers of events that could not be stored at once


@contextmanager
def mounted(directory, *arguments):
    """Gives what unmounts it before the end."""
    done = []

    def unmount():
        if not done:
            done.append(run("umount", "--lazy", directory))

    run("mount", *arguments, directory)
    cleanup.register(("mount", directory), unmount)
    try:
        yield unmount
    finally:
        cleanup.forget(("mount", directory))
        unmount()


def run(*command):
    subprocess.run(list(map(str, command)), check=True, timeout=10)


# The directory


def directories(directory, seed) -> Row:
    """Full or read-only from the start; full, removed or another's while running; another's."""
    lives = {each.__name__: each for each in (full, filled, read_only, removed, reloaded, put_back,
                                              covered, given_away, hanging)}
    switch = directory / "disk_hangs"
    switch.write_bytes(b"\0")
    options = {"given_away": {"user": "nobody"},
               "hanging": {"env": {**with_shim(directory, "sync_shim"),
                                   "DISK_HANGS_FILE": str(switch)}}}

    def whole_life(name):
        with Site(directory / name, growth=reference.wave(SCENE_S, ("received", "sent")),
                  **options.get(name, {})) as site:
            return lives[name](site)

    row = total(side_by_side(whole_life, lives))
    row.faults += foreign(directory / "foreign")
    return row


def full(site):
    """A tmpfs of 64 KiB that is full from the start, then larger."""
    state = site.daemon.state
    with mounted(state, "-t", "tmpfs", "-o", "size=64k,mode=0700", "rstw-full"):
        fill_up(state / "filling")
        site.start()
        faults = failing(site)
        (state / "filling").unlink()
        run("mount", "-o", "remount,size=1m", state)
        return judged_when_good(site, faults)


def filled(site):
    """Full while running; room again."""
    state = site.daemon.state
    with mounted(state, "-t", "tmpfs", "-o", "size=256k,mode=0700", "rstw-filled"):
        site.start()
        site.wait_for_agent()
        site.snmpd.write.set((Setter.OBJECT, "u", 12345))
        fill_up(state / "filling")
        faults = failing(site)
        (state / "filling").unlink()
        return judged_when_good(site, faults)


def read_only(site):
    """A bind mount that cannot be written; what SET had made before holds."""
    state = site.daemon.state
    site.start()
    site.wait_for_agent()
    site.snmpd.write.set((Setter.OBJECT, "u", 12345))
    site.stop_daemon()
    site.runs.clear()  # nothing has happened yet
    with mounted(state, "--bind", state) as unmount:
        run("mount", "-o", "remount,bind,ro", state)
        site.start_daemon()
        site.wait_for_agent()
        faults = failing(site)
        if (value := site.value(Setter.OBJECT)) != 12345:
            faults.append(f"a value that was SET before is {value}")
        unmount()
        return judged_when_good(site, faults)


def removed(site):
    """Gone while running, then a new one: which another agent may write in, this one not."""
    site.start()
    site.until(FIRST_CROSSING_S - 1)
    shutil.rmtree(site.daemon.state)
    faults = failing(site)
    site.daemon.state.mkdir(mode=0o700)
    return judged_when_good(site, faults + taken_by_another_agent(site))


def reloaded(site):
    """Gone while running; the configuration is read again meanwhile; then a new one.

    What only the memory of the first agent has goes through the second to the third.
    """
    site.start()
    site.wait_for_agent()
    site.snmpd.write.set((Setter.OBJECT, "u", 12345))
    site.until(FIRST_CROSSING_S - 1)
    shutil.rmtree(site.daemon.state)
    faults = failing(site)
    first = site.daemon.agent_pid
    site.daemon.reload()
    wait_until(lambda: site.daemon.agent_pid not in (None, first), 5, "another agent")
    site.wait_for_agent()
    if site.value("tcpResetStorageState.0") != STORAGE_FAILING:
        faults.append("failing, by the first agent only")
    site.daemon.state.mkdir(mode=0o700)
    faults += taken_by_another_agent(site)
    row = judged_when_good(site, faults)
    if (value := site.value(Setter.OBJECT)) != 12345:
        row.faults.append(f"a value that was SET before is {value}")
    return row


def put_back(site):
    """Away while running, and the same one again: nothing for another agent."""
    state = site.daemon.state
    site.start()
    site.wait_for_agent()
    agent = site.daemon.agent_pid
    site.until(FIRST_CROSSING_S - 1)
    state.rename(state.with_name("away"))
    faults = failing(site)
    state.with_name("away").rename(state)
    row = judged_when_good(site, faults)
    if site.daemon.agent_pid != agent:
        row.faults.append("another agent was started for the same directory")
    return row


def covered(site):
    """A file system is mounted over it while running: used at once, by another agent."""
    site.start()
    site.until(FIRST_CROSSING_S - 1)
    with mounted(site.daemon.state, "-t", "tmpfs", "-o", "size=1m,mode=0700", "rstw-covered"):
        return judged_when_good(site, taken_by_another_agent(site))


def taken_by_another_agent(site):
    """Faults: told of more than once, or as if an agent had failed."""
    site.daemon.process.wait_for_line(ANOTHER)
    said = site.daemon.process.matching(f"{ANOTHER}|agent process (was )?ended")
    return [] if len(said) == 1 else [f"another directory: {[line.text for line in said]}"]


def given_away(site):
    """Somebody else's while running, and back again."""
    state = site.daemon.state
    site.start()
    site.until(FIRST_CROSSING_S - 1)
    os.chown(state, 0, 0)
    faults = failing(site)
    os.chown(state, NOBODY, NOBODY)
    return judged_when_good(site, faults)


def hanging(site):
    """The disk hangs while there are crossings, for longer than snmpd waits for an answer.

    The agent waits for the disk with the first event, and snmpd ends the session.
    """
    faults = []
    site.start()
    site.wait_for_agent()
    site.until(FIRST_CROSSING_S - 1)
    with site.outage(), (site.directory.parent / "disk_hangs").open("r+b") as switch:
        switch.write(b"\1")  # in place: it is mapped
        switch.flush()
        site.until(FIRST_CROSSING_S + 1)
        if site.daemon.answers():
            faults.append("the disk did not hang")
        site.until(FIRST_CROSSING_S + HANG_S)
        switch.seek(0)
        switch.write(b"\0")
        switch.flush()
        site.wait_connected(1)
    return finish(site, faults)


def failing(site):
    """Once an event cannot be written."""
    site.until(FIRST_CROSSING_S + 3)
    faults = []
    site.wait_for_storage(STORAGE_FAILING)
    if not site.value("tcpResetStorageError.0"):
        faults.append("tcpResetStorageError is empty")
    try:
        site.snmpd.write.set((Setter.OBJECT, "u", 54321))
        faults.append("a SET was taken that cannot last")
    except Refused as refused:
        if refused.status != "commitFailed":
            faults.append(f"a SET was refused by {refused.status}")
    if len(said := site.daemon.process.matching(GOES_ON)) != 1:
        faults.append(f"said of it: {[line.text for line in said]}")
    return faults


def judged_when_good(site, faults):
    site.wait_for_storage(STORAGE_GOOD)
    site.daemon.process.wait_for_line(USABLE)
    if len(site.daemon.process.matching(USABLE)) != 1:
        faults.append("the log tells more than once that it can be used again")
    row = finish(site, faults)
    if (stored := stored_events(site)) != row.events:
        row.faults.append(f"{stored} events on disk of {row.events}")
    if (oldest := site.events()[0].number) < SECONDS_SINCE_2020:
        row.faults.append(f"the number of the first event, which was not stored, is {oldest}")
    return row


def stored_events(site):
    with sqlite3.connect(site.daemon.state / DATABASE) as database:
        return database.execute("SELECT count(*) FROM event").fetchone()[0]


def nearly_full(directory, seed, *, pages=(1, 2, 4, 6)) -> Row:
    """Room for that many pages more, so that some writes succeed and others do not; then kill -9.

    What the next run sees happen is notified, whatever the last one could write, and no number
    is that of two events.
    """
    def whole_life(count):
        growth = {metric: [(ms, 10 * reference.BURST)]
                  for metric, ms in zip(reference.COUNTERS, (2500, 2800, 3100))}
        with Site(directory / f"{count}-pages", growth=growth) as site, \
                mounted(site.daemon.state, "-t", "tmpfs", "-o", "size=256k,mode=0700", "rstw"):
            row = filled_but_for(site, count)
            row.faults = [f"{count} pages: {fault}" for fault in row.faults]
            return row

    return total(side_by_side(whole_life, pages))


def filled_but_for(site, pages):
    filling = site.daemon.state / "filling"
    site.start()
    fill_up(filling)
    os.truncate(filling, (filling.stat().st_size // PAGE - pages) * PAGE)
    row = Row()
    row.faults = notified_all(site, row)
    if site.daemon.process.matching(USABLE):
        row.faults.append("the log says that it can be used again, but it is full")
    site.kill_daemon()
    filling.unlink()
    site.start_daemon()
    site.wait_connected(0)
    row.faults += notified_all(site, row)
    row.faults += used_twice(site)
    return row


def used_twice(site):
    received = [each for receiver in site.receivers for each in receiver.received(*NOTIFICATIONS)]
    events = {(number_of(each), *content(each), each.values["tcpResetEventTime"])
              for each in received}
    numbers = sorted(number for number, *_ in events)
    return [f"numbers of events: {numbers}"] if len(numbers) != len(set(numbers)) else []


def notified_all(site, row):
    """Faults: events that the log tells of since the start, and nobody was notified of.

    Those of the run before, whose delivery could not be written, may come again.
    """
    counts = [len(receiver.received(*NOTIFICATIONS)) for receiver in site.receivers]
    site.until(4.5)
    site.daemon.wait_for_value("tcpResetEventsPending.0", 0)
    told = {int(re.search(r"event (\d+):", line.text)[1])
            for line in site.daemon.process.matching(r"event \d+: alarm")}
    row.crossings += len(told)
    row.events += len(told)
    faults = []
    for n, (receiver, count) in enumerate(zip(site.receivers, counts)):
        got = told & {number_of(each) for each in receiver.received(*NOTIFICATIONS)[count:]}
        row.received[n] += len(got)
        row.lost += len(told - got)
        if told - got:
            faults.append(f"not notified: events {sorted(told - got)} of {sorted(told)}")
    return faults


def foreign(directory):
    """Refused at the start, with a clear message."""
    with Site(directory, growth=reference.wave(1)) as site:
        os.chown(site.daemon.state, NOBODY, NOBODY)
        with Process("rstwatchd", site.daemon.command("-f")) as process:
            status = process.wait_end()
        wanted = f"{site.daemon.state}: owner {NOBODY}, mode 0700: expected owner 0"
        return [] if status == 1 and wanted in process.log else \
            [f"a foreign directory: status {status}: {process.log}"]


# The file


def damaged_files(directory, seed, *, cuts=120, flips=400, stations=4) -> Row:
    """A database cut at many lengths and with random bytes changed; each start raises alarms.

    Either it is used or it is set aside as it was; the numbers of events only grow.
    """
    original, told, made = make_database(directory / "original", Site.stop_daemon)
    chance = random.Random(seed)
    damages = [damage for name in original for damage in damages_of(original, name, cuts, flips,
                                                                    chance)]
    damages += [(sql, altered(directory, original[""], sql)) for sql in IMPOSSIBLE]
    return started_with(directory, damages, chance, told, made, stations)


def crashed_files(directory, seed, *, cuts=40, flips=40, stations=4) -> Row:
    """The same with each file that kill -9 leaves: SQLite's log is the newer part of it.

    A log that is cut looks like one whose last transaction was not over: what this may have been
    the delivery of comes again, but no number stands for something else.
    """
    original, told, made = make_database(directory / "crashed", Site.kill_daemon)
    chance = random.Random(seed)
    damages = [("none", original)]
    damages += [damage for name in original for damage in damages_of(original, name, cuts, flips,
                                                                     chance)]
    return started_with(directory, damages, chance, told, made, stations)


def damages_of(original, name, cuts, flips, chance):
    """(what it is, the files) …, one of the files damaged."""
    octets = original[name]
    lengths = [length for length in (0, 1, 15, 16, 31, 32, 99, 100, 4095, 4096, 4097,
                                     len(octets) - 1) if length < len(octets)][:cuts]
    while len(set(lengths)) < min(cuts, len(octets)):
        lengths.append(chance.randrange(len(octets)))
    contents = [(f"cut at {length}", octets[:length]) for length in dict.fromkeys(lengths)]
    contents += [(f"flipped ({n})", flipped(octets, chance)) for n in range(flips)]
    return [(f"{DATABASE}{name} {what}", {**original, name: changed}) for what, changed in contents]


def altered(directory, octets, sql):
    """A sound database that says what cannot be."""
    path = directory / "altered.db"
    path.write_bytes(octets)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA journal_mode = DELETE")
        database.execute(sql)
    return {"": path.read_bytes()}


def started_with(directory, damages, chance, told, made, stations):
    """Plays a start with each of the damages; the Row of all."""
    chance.shuffle(damages)
    growth = {metric: [(300, 10 * reference.BURST)] for metric in reference.COUNTERS}

    def whole_life(n):
        with Site(directory / f"damaged-{n}", growth=growth) as site:
            site.start_snmpd()
            row = Row()
            for name, files in damages[n::stations]:
                row.crossings += len(growth)
                try:
                    found = start_with(site, files, told, row,
                                       may_double=name.startswith(f"{DATABASE}-"))
                except TimeoutError as error:
                    found = [str(error).splitlines()[0]]
                    row.lost += len(growth) * len(site.receivers)
                    site.kill_daemon()
                row.faults += [f"{name}: {fault}" for fault in found]
            for fault in row.faults:
                print(f"  {site.directory.name}: {fault}", flush=True)
            return row

    return total([made, *side_by_side(whole_life, range(stations))])


def make_database(directory, end):
    """(files by suffix, what was notified by number, the Row of its making): of a daemon that
    raised alarms in one run, cleared them in the next and has come to this end."""
    growth = {metric: [(300 + 100 * n, 10 * reference.BURST)]
              for n, metric in enumerate(reference.COUNTERS)}
    with Site(directory, growth=growth) as site:
        site.start()
        site.wait_for_agent()
        site.snmpd.write.set((Setter.OBJECT, "u", 3000))
        site.until(1)
        site.daemon.wait_for_value("tcpResetEventsPending.0", 0)
        site.stop_daemon()
        site.start_daemon()
        row = finish(site)
        told = {number_of(each): content(each) for each in site.trapped.received(*NOTIFICATIONS)}
        end(site)
        return files_of(site.daemon.state / DATABASE), told, row


def files_of(path):
    """Of one database, by what follows its name. The index of its log is left out."""
    return {name: Path(f"{path}{name}").read_bytes() for name in ("", "-wal", "-journal")
            if Path(f"{path}{name}").exists()}


def flipped(octets, chance):
    """One to eight bytes in a row are others, where there is something."""
    changed = bytearray(octets)
    start = chance.choice([n for n, byte in enumerate(octets) if byte])
    for n in range(start, min(start + chance.randint(1, 8), len(octets))):
        changed[n] ^= chance.randint(1, 255)
    return bytes(changed)


def start_with(site, files, told, row, *, may_double=False):
    """Faults of a start with these in place of the database.

    told: what was notified before, by number; it may come again if it may double.
    """
    state, before, newest_before = site.daemon.state, asides(site), max(told)
    for name in ("", "-wal", "-shm", "-journal"):
        (state / f"{DATABASE}{name}").unlink(missing_ok=True)
    for name, octets in files.items():
        (state / f"{DATABASE}{name}").write_bytes(octets)
    counts = [len(receiver.received(*NOTIFICATIONS)) for receiver in site.receivers]
    site.start_daemon()
    site.wait_connected(0)
    site.daemon.process.wait_for_line(r"event \d+: alarm")
    site.daemon.wait_for_value("tcpResetEventsPending.0", 0)
    state_now, newest = site.manager.values("tcpResetStorageState.0", "tcpResetEventNewest.0")
    site.kill_daemon()
    faults = judge_start(site, before, files, state_now)
    if newest <= newest_before:
        faults.append(f"the newest event is {newest}, and was {newest_before} before")
    for n, (receiver, count) in enumerate(zip(site.receivers, counts)):
        numbers = [number_of(each) for each in receiver.received(*NOTIFICATIONS)[count:]
                   if not may_double or told.get(number_of(each)) != content(each)]
        new = {number for number in numbers if number > newest_before}
        row.received[n] += len(new)
        row.lost += max(0, len(reference.COUNTERS) - len(new))
        row.doubled += len(numbers) - len(set(numbers))
        if len(new) != len(numbers) or len(new) < len(reference.COUNTERS):
            faults.append(f"notified: {numbers}, the newest was {newest_before}")
    row.events += len(site.daemon.process.matching(r"event \d+: alarm"))
    return faults


def judge_start(site, before, files, state_now):
    after = asides(site)
    said = site.daemon.process.matching(r"it is now .*aside-\d+, and a new one is begun")
    new = [name for name in after if name not in before]
    faults = [f"{name} has been written over" for name in before
              if after.get(name) != before[name]]
    if state_now == STORAGE_REPLACED:
        by_insert = any(FOUND_BY_INSERT in line.text for line in said)
        if [after[name] for name in new] != [files] and not by_insert:
            faults.append(f"set aside: {new}, not as it was")
        if len(said) != 1:
            faults.append(f"{len(said)} lines of the log say that it was set aside")
    elif state_now != STORAGE_GOOD or new or said:
        faults.append(f"tcpResetStorageState is {state_now}, set aside: {new}")
    return faults


def asides(site):
    """The files of each database that was set aside."""
    return {path.name: files_of(path) for path in site.daemon.state.glob(f"{DATABASE}.aside-*")
            if path.name.rpartition("-")[2].isdigit()}
