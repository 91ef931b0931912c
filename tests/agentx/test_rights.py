"""What is left of the rights of whom started it, by what the kernel says of both processes."""

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from lab import cleanup, paths, replay
from lab.process import Process, children_of
from lab.wait import wait_until

NOBODY = "65534"
NET_ADMIN = 1 << 12
KILLS = 2  # Seccomp of /proc/PID/status: by a filter
ONLY = {"sampler": 1, "agent": 2}  # filters: the agent has the sampler's as well


@pytest.fixture
def make(new_station, pair):
    def make(source="bpf", **options):
        return new_station(source=source, netns=pair[0].namespace, notify_by=[], **options)
    return make


def processes(station):
    pid = station.daemon.process.pid
    return {"sampler": pid, "agent": station.daemon.agent_pid}


def status(pid):
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return {key: value.split() for key, _, value in (line.partition(":") for line in lines)}


def limits(pid):
    """(soft, hard) by name."""
    lines = Path(f"/proc/{pid}/limits").read_text(encoding="ascii").splitlines()[1:]
    return {line[:26].strip(): tuple(line[26:].split()[:2]) for line in lines}


def is_sanitized():
    return b"__asan_init" in paths.DAEMON.read_bytes()


# What both have


@pytest.mark.parametrize("source", ["bpf", "nftables", "procfs"])
@pytest.mark.parametrize("user", ["nobody", None])
def test_both_processes_have_only_what_they_need(make, source, user):
    station = make(source, user=user).start()
    for name, pid in processes(station).items():
        found = status(pid)
        kept = NET_ADMIN if (source, name) == ("nftables", "sampler") else 0
        assert found["Uid"] == [NOBODY if user else "0"] * 4
        assert [int(found[each][0], 16) for each in ("CapPrm", "CapEff", "CapInh", "CapAmb")] == \
            [kept, kept, 0, 0]
        assert found["NoNewPrivs"] == ["1"]
        assert (int(found["Seccomp"][0]), int(found["Seccomp_filters"][0])) == (KILLS, ONLY[name])
        assert limits(pid)["Max core file size"] == ("0", "0")
        assert limits(pid)["Max open files"] == ("64", "64")
        if not is_sanitized():
            assert limits(pid)["Max address space"] == (str(256 << 20),) * 2


@pytest.mark.parametrize("source", ["bpf", "nftables"])
def test_the_capabilities_of_the_unit_file_are_enough(make, pair, source):
    """As systemd starts it: an ordinary user with these, and no others to be had."""
    unit = (paths.ROOT / "platform/Linux/rstwatchd.service").read_text()
    capabilities = re.search("^AmbientCapabilities=(.+)$", unit, re.MULTILINE)[1].split()
    sets = ",".join(["-all", *("+" + name.lower().removeprefix("cap_") for name in capabilities)])
    station = make(source)
    shutil.chown(station.daemon.state, "nobody")
    station.snmpd.start()
    os.chmod(station.snmpd.agentx.removeprefix("unix:"), 0o666)
    with Process("rstwatchd", ["setpriv", "--reuid", "nobody", "--clear-groups", "--inh-caps", sets,
                               "--ambient-caps", sets, "--bounding-set", sets, "--no-new-privs",
                               *station.daemon.command("-f")], netns=pair[0].namespace) as daemon:
        wait_until(station.daemon.answers, 5, lambda: f"an answer; it said:\n{daemon.log}")
        assert f"source {source}" in daemon.log


def test_a_new_agent_is_confined_as_the_first_one_and_answers(make):
    station = make("nftables", user="nobody").start()
    station.daemon.kill_agent()
    station.daemon.wait_ready()
    found = status(station.daemon.agent_pid)
    assert int(found["Seccomp_filters"][0]) == ONLY["agent"]
    assert int(found["CapEff"][0], 16) == 0


def test_it_says_by_what_it_is_confined(make):
    station = make("procfs").start()
    assert "confined by seccomp and Landlock" in station.daemon.process.matching("sample every")[0].text


# What it was started with


@pytest.fixture
def inheritable(tmp_path):
    """A file of ours that each child gets."""
    file = os.open(tmp_path / "secret", os.O_RDWR | os.O_CREAT)
    os.set_inheritable(file, True)
    yield tmp_path / "secret"
    os.close(file)


def opened(pid):
    return [os.readlink(each) for each in Path(f"/proc/{pid}/fd").iterdir()]


@pytest.fixture
def start_as_child(new_station):
    """Starts a daemon as a child that inherits all of ours, and waits for its answers."""
    children = []

    def start(source, **environment):
        station = new_station(source=source, notify_by=[])
        station.snmpd.start()
        children.append(subprocess.Popen(station.daemon.command("-f"), close_fds=False,
                                         env={**os.environ, **environment},
                                         stderr=subprocess.DEVNULL))
        cleanup.register(children[-1], children[-1].kill)
        wait_until(station.daemon.answers, 5, "an answer")
        return children[-1].pid

    yield start
    for child in children:
        child.terminate()
        assert child.wait(timeout=5) == 0
        cleanup.forget(child)


def test_no_descriptor_is_inherited(start_as_child, inheritable):
    sampler = start_as_child("procfs")
    for pid in [sampler, *children_of(sampler)]:
        assert str(inheritable) not in opened(pid)


# What the service manager is told


@pytest.fixture
def manager(tmp_path):
    """The service manager's end of NOTIFY_SOCKET."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(tmp_path / "notify"))
        end.settimeout(5)
        yield end


def test_the_service_manager_hears_that_it_is_ready(manager, start_as_child):
    start_as_child("procfs", NOTIFY_SOCKET=manager.getsockname())
    assert manager.recv(100) == b"READY=1"


def test_the_watchdog_hears_nothing_more_when_sampling_fails(manager, start_as_child, tmp_path):
    source = replay.write(tmp_path / "failing.replay", (2000, {"fail": 1}))
    start_as_child(source, NOTIFY_SOCKET=manager.getsockname(), WATCHDOG_USEC="400000")
    assert manager.recv(100) == b"READY=1"
    beats = 0
    manager.settimeout(1)
    with pytest.raises(TimeoutError):
        while manager.recv(100) == b"WATCHDOG=1":
            beats += 1
    assert 5 <= beats <= 10  # every 0.2 s, for 2 s


def test_the_watchdog_of_another_process_is_not_served(manager, start_as_child):
    start_as_child("procfs", NOTIFY_SOCKET=manager.getsockname(), WATCHDOG_USEC="100000",
                   WATCHDOG_PID="1")
    assert manager.recv(100) == b"READY=1"
    manager.settimeout(0.5)
    with pytest.raises(TimeoutError):
        manager.recv(100)


def test_a_notify_socket_that_is_not_there_is_an_error(new_station, tmp_path):
    station = new_station(source="procfs", notify_by=[])
    run = subprocess.run(station.daemon.command("-f"), capture_output=True, text=True, timeout=5,
                         env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "none")})
    assert (run.returncode, run.stderr) == (1, "rstwatchd: NOTIFY_SOCKET: No such file or directory\n")


@pytest.mark.parametrize("is_journal, head", [
    (True, "<5>rstwatchd "), (False, r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d rstwatchd\[\d+\]: rstwatchd ")])
def test_the_journal_gets_a_priority_for_what_it_has_itself(new_station, is_journal, head):
    station = new_station(source="procfs", notify_by=[])
    reading, writing = os.pipe()
    file = os.fstat(writing)
    with open(reading) as log, open(writing, "w") as end:
        stream = f"{file.st_dev}:{file.st_ino if is_journal else file.st_ino + 1}"
        daemon = subprocess.Popen(station.daemon.command("-f"), stderr=end,
                                  env={**os.environ, "JOURNAL_STREAM": stream})
        try:
            assert re.match(head, log.readline())
        finally:
            daemon.terminate()
            daemon.wait(5)


# The configuration file


@pytest.mark.parametrize("mode, owner", [(0o664, 0), (0o646, 0), (0o644, 65534)])
def test_a_configuration_that_others_can_write_is_refused(new_station, mode, owner):
    station = new_station(source="procfs", notify_by=[])
    file = station.daemon.configuration
    file.chmod(mode)
    os.chown(file, owner, 0)
    for options in ["-f"], ["--check-config"]:
        run = subprocess.run(station.daemon.command(*options), capture_output=True, text=True,
                             timeout=5)
        assert (run.returncode, run.stderr) == (
            2, f"rstwatchd: {file}: owner {owner}, mode {mode:04o}: expected owner root or 0, "
               "writable by nobody else\n")


def test_at_sighup_it_is_refused_and_the_old_one_stays(new_station):
    station = new_station(source="procfs", notify_by=[]).start()
    station.daemon.configuration.write_text("alarm sent { rising = 61 }\n")
    station.daemon.configuration.chmod(0o666)
    station.daemon.reload()
    station.daemon.process.wait_for_line("mode 0666: .*the old configuration stays")
    assert station.manager.get("tcpResetAlarmRisingThreshold.sent") == 5000
