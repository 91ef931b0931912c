"""Does the soak see a fault? The daemon broken on purpose, in one way after the other.

    broken.py [WORD...]

Each is built by itself, of what is committed, and has to fail scenarios of the shorter cut of
`make soak` (tests/agentx/test_outages.py) that the daemon as it is passes. The exit status is 1
if one of them is not seen. With words only those that have one of them in their name.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Break(NamedTuple):
    """In this file this text, which must be there once, is replaced."""
    file: str
    text: str
    by: str


SENT = "    agent->in_flight = event->number;\n"
ANSWERED = "    if (event) {\n        agent->events.delivered = event->number;\n"
READY = "    if (!event || !may_send(agent, now_ns))\n        return;\n"

BROKEN = {
    "a notification is dropped": [Break("subagent/agent.c", READY, READY + """
    if (event->number % 5 == 0) {
        agent->events.delivered = event->number;
        return;
    }
""")],
    "a notification is sent twice": [Break("subagent/agent.c", ANSWERED, """
    static uint32_t twice;
    if (event && event->number % 5 == 0 && twice != event->number) {
        twice = event->number;
        notify_next(agent);
        return;
    }
""" + ANSWERED)],
    "a notification is late": [Break("subagent/agent.c", READY, READY + """
    static uint32_t held;
    if (event->number % 5 == 0 && held != event->number) {
        held = event->number;
        agent->retry_ns = now_ns + 2 * NS_PER_S;
        return;
    }
""")],
    "the newest goes first": [Break("subagent/agent.c", "event_log_pending(&agent->events);",
                                    "event_log_pending(&agent->events);\n"
                                    "    if (event && agent->events.newest > event->number)\n"
                                    "        event = event_log_find(&agent->events,"
                                    " agent->events.newest);\n")],
    "event numbers begin anew": [Break(
        "subagent/agent.c", "    agent->snapshot.settings = settings_merge(config->alarm,",
        "    event_log_begin(&agent->events, 0);\n"
        "    agent->snapshot.settings = settings_merge(config->alarm,")],
    "delivered when sent, not when acknowledged": [Break(
        "subagent/agent.c", SENT, SENT + "    agent->events.delivered = event->number;\n"
        "    archive_delivered(&agent->archive, event->number);\n")],
    "delivered when there is no session": [Break("subagent/agent.c", READY, """
    if (event && !agentx_connected())
        agent->events.delivered = event->number;
""" + READY)],
    "what was in flight is forgotten": [Break(
        "subagent/agent.c", "    agent->in_flight = 0;\n    mib_forget_set();\n",
        "    if (agent->in_flight)\n        agent->events.delivered = agent->in_flight;\n"
        "    agent->in_flight = 0;\n    mib_forget_set();\n")],
    "sent again in the same session": [Break("subagent/agent.c", READY, """
    if (agent->in_flight && now_ns - agent->sent_ns[(agent->sent - 1) % NOTIFICATIONS_PER_S] >
        NS_PER_S)
        agent->in_flight = 0;
""" + READY)],
    "events are written once a minute": [Break(
        "subagent/agent.c", "    if (agent->events.newest != newest || sample->time_ns",
        "    (void)newest;\n    if (sample->time_ns")],
    "a new agent begins without history": [Break(
        "subagent/agent.c", "    agent->next = agent->next_slice = 1;\n",
        "    agent->next = agent->next_slice = 1;\n"
        "    for (struct sample old; ring_read(ring, &agent->next, &old);)\n        ;\n")],
    "a new agent steps through all of the ring": [Break(
        "subagent/agent.c", "    if (sample->time_ns <= agent->snapshot.alarm[METRIC_FIRST]"
        ".stepped_ns)\n        return;\n", "")],
    "a late agent skips samples": [Break(
        "subagent/agent.c", "    while (ring_read(agent->ring, &agent->next, &sample))\n"
        "        step(agent, &sample);\n",
        "    bool some = false;\n\n    while (ring_read(agent->ring, &agent->next, &sample))\n"
        "        some = true;\n    if (some)\n        step(agent, &sample);\n")],
    "a restart forgets a raise": [Break(
        "subagent/alarm.c", "alarm_is_raised(stored) ? ALARM_RAISED : ALARM_NORMAL;",
        "ALARM_NORMAL;")],
    "a restart clears at once": [Break(
        "subagent/alarm.c", "bool below = window_seen && ", "bool below = (window_seen || 1) && ")],
    "the time of an event is when it was seen": [Break(
        "subagent/agent.c", "    int64_t ago_ns = clock_ns(CLOCK_MONOTONIC) - sample->time_ns;\n",
        "    int64_t ago_ns = 0;\n")],
    "a SET is not written": [Break(
        "subagent/archive.c", "    if (!write_settings(archive, settings))\n"
        "        return failed(archive, store_error(archive->store));\n    good(archive);\n", "")],
    "a SET is taken on a full disk": [Break(
        "subagent/agent.c", "    if (!archive_save_settings(&agent->archive, settings))\n"
        "        return false;\n",
        "    archive_save_settings(&agent->archive, settings);\n")],
    "the library's ping": [Break("subagent/agentx.c", "            stop_alarms();\n",
                                 "            (void)stop_alarms;\n")],
    "the library tries again after 15 s": [
        Break("subagent/agentx.c", "#define RETRY_S  1\n", "#define RETRY_S  15\n"),
        Break("subagent/agentx.c", "    hasten_retry();\n", "    (void)hasten_retry;\n")],
    "the library repeats a notification": [Break(
        "subagent/agentx.c", "    pdu->flags |= UCD_MSG_FLAG_PDU_TIMEOUT;\n"
        "    pdu->time = NOTIFY_TIMEOUT_S;\n", "    (void)NOTIFY_TIMEOUT_S;\n")],
    "its end takes long": [Break("subagent/supervisor.c", "#define GRACE_NS (NS_PER_S / 2)",
                                 "#define GRACE_NS (3 * NS_PER_S)"),
                           Break("subagent/agent.c", "#define FINISH_NS (NS_PER_S / 5)",
                                 "#define FINISH_NS (2 * NS_PER_S)")],
    "a damaged database is removed": [Break(
        "subagent/store.c", "rename(path, name) != 0)\n        return false;",
        "unlink(path) != 0)\n        return false;")],
    "numbers of a new database begin at 1": [Break(
        "subagent/events.c", "    return seconds > 0 && seconds < INT32_MAX ? (uint32_t)seconds"
        " : 0;", "    return 0 * (uint32_t)seconds;")],
    "a failing disk is not said": [Break(
        "subagent/archive.c", "        log_write(LOG_ERR, \"%s; measuring and answering go on\","
        " error);\n", "        (void)0;\n")],
    "nothing is left to the next agent": [Break(
        "subagent/archive.c", "        handover->used = store_used(store);\n", "")],
    "another directory is not noticed": [Break(
        "subagent/archive.c", "        archive->displaced = is_displaced(archive);\n", "")],
    "the date moves alarms": [Break(
        "subagent/agent.c", "        else if (stored->instance == ring_instance(agent->ring))",
        "        else if (stored->instance == 0)")],
    "a counter that goes back is growth": [Break(
        "platform/sample.c", "        *backwards = true;\n        return 0;\n",
        "        *backwards = true;\n        return now;\n")],
}


def build(directory, breaks):
    """The path of a daemon with these faults."""
    archive = subprocess.run(["git", "-C", ROOT, "archive", "HEAD"], check=True,
                             capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", directory], input=archive, check=True)
    for file, text, by in breaks:
        source = (directory / file).read_text()
        assert source.count(text) == 1, f"{file} has {source.count(text)} times {text!r}"
        (directory / file).write_text(source.replace(text, by))
    subprocess.run(["make", "-s", "-C", directory, "WARN=", "all"], check=True, capture_output=True,
                   text=True)
    return directory / "build" / "rstwatchd"


def failures(daemon):
    """The scenarios that find fault with it."""
    played = subprocess.run(
        ["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=line",
         "tests/agentx/test_outages.py", "-rA"],
        cwd=ROOT, env={**os.environ, "RSTWATCHD": str(daemon)}, capture_output=True, text=True)
    found = re.findall(r"^FAILED .*\[(.*?)\]", played.stdout, re.MULTILINE)
    assert found or " passed" in played.stdout, played.stdout
    return found


def faults_of(breaks):
    with tempfile.TemporaryDirectory(prefix="rstw-") as directory:
        os.chmod(directory, 0o755)
        return failures(build(Path(directory), breaks))


def main(words):
    before = faults_of([])
    print(f"as it is: {', '.join(before) or 'none'}", flush=True)
    unseen = []
    for name, breaks in BROKEN.items():
        if words and not any(word in name for word in words):
            continue
        found = [scenario for scenario in faults_of(breaks) if scenario not in before]
        print(f"{name}: {', '.join(found) or 'NOT SEEN'}", flush=True)
        if not found:
            unseen.append(name)
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
