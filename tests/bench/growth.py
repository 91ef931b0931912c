"""Whether an answer costs more when there are more events in the log, or more pollers."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from types import SimpleNamespace

import load
from lab import mib
from lab.daemon import Daemon
from lab.snmpd import Snmpd
from report import number, range_of
from usage import cpu, memory, spread

EVENTS = [10, 1_000, 100_000]  # the least and the most that the log can hold, and the default
POLLERS = [1, 10, 100]
ROUNDS = 9
REQUESTS = 2000  # of one turn
ROWS = 18  # of a GETBULK
STORE_FILE = "rstwatch.db"


def measure_growth(report, directory):
    with ExitStack() as stack:
        logs = {count: start(stack, directory / str(count), count) for count in EVENTS}
        measure_log(report, logs)
        measure_pollers(report, next(iter(logs.values())))


def start(stack, directory, events):
    """A daemon whose log is full."""
    directory.mkdir()
    snmpd = stack.enter_context(Snmpd(directory / "snmpd"))
    daemon = stack.enter_context(Daemon(directory / "daemon", snmpd,
                                        configuration=f"event-capacity = {events}\n"))
    daemon.stop()  # the database is there now
    fill(daemon.state / STORE_FILE, events)
    daemon.start()
    assert snmpd.v2c.get("tcpResetEventNewest.0") == events
    return SimpleNamespace(snmpd=snmpd, daemon=daemon, newest=events)


def fill(path, events):
    """As if all of them had been delivered long ago."""
    row = (1, 1, 1_700_000_000_000, 5050, 5000, 5050, 0, 1, 2,
           "received 50.50/s (limit 50.00): 100 % from 192.0.2.2, refused", 1)
    with closing(sqlite3.connect(path)) as database, database:
        database.executemany(
            "INSERT INTO event (number, kind, metric, time_ms, value_centi, threshold_centi, "
            "peak_centi, duration_s, method, syn_cookie_state, summary, cause) "
            f"VALUES (?{', ?' * len(row)})", ((n, *row) for n in range(1, events + 1)))
        database.execute("UPDATE delivery SET delivered = ?", (events,))


def measure_log(report, logs):
    asked = {"GET of a counter": lambda log: ([mib.oid("tcpResetReceived.0")], 0),
             "GET of the newest": lambda log: ([mib.oid(f"tcpResetEventSummary.{log.newest}")], 0),
             f"GETBULK of {ROWS}": lambda log: ([mib.oid("tcpResetEventSummary")], ROWS)}
    turns = {}
    for _ in range(ROUNDS):
        for events, log in logs.items():
            for label, ask in asked.items():
                oids, repetitions = ask(log)
                turns.setdefault((events, label), []).append(
                    us_a_request(log, 1, oids, repetitions))
    report.table("growth: log", "CPU of the agent, us a request, and its private memory, by events "
                 f"in the log; medians of {ROUNDS} interleaved runs",
                 {**dict.fromkeys(asked, "us"), "memory": "KiB"},
                 [(f"{events:,} events",
                   *(number(spread(turns[events, label]).median, 1) for label in asked),
                   number(memory([log.daemon.agent_pid]).private))
                  for events, log in logs.items()])


def measure_pollers(report, log):
    turns = {count: [] for count in POLLERS}
    for _ in range(ROUNDS):
        for count, found in turns.items():
            found.append(us_a_request(log, count, [mib.oid("tcpResetReceived.0")], 0))
    report.table("growth: pollers", "CPU of the agent, us a GET, by pollers that ask at once",
                 {"median": "us", "min..max": "us"},
                 [(f"{count} pollers" if count > 1 else "1 poller",
                   number(spread(found).median, 1), range_of(spread(found), 1))
                  for count, found in turns.items()])


def us_a_request(log, pollers, oids, repetitions):
    """Each poller waits for its answer before it asks again."""
    each = REQUESTS // pollers // (8 if repetitions else 1)
    agent = [log.daemon.agent_pid]
    before = cpu(agent)
    with ThreadPoolExecutor(pollers) as pool:
        list(pool.map(lambda _: load.run(log.snmpd.port, oids, count=each, in_flight=1,
                                         repetitions=repetitions), range(pollers)))
    return (cpu(agent) - before).ns / 1000 / (each * pollers)
