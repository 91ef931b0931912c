"""The daemon without -f, as a service script starts it."""

import os
import signal
import subprocess
from contextlib import contextmanager

from lab import cleanup, paths, replay
from lab.process import is_gone, processes_about
from lab.wait import wait_until


@contextmanager
def in_background(station, *arguments):
    """Starts it and gives the pids of its processes; ends them."""
    state = station.daemon.state

    def kill():
        for pid in processes_about(state):
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: processes_about(state) == [], 5, "the end of the background daemon")

    cleanup.register(state, kill)
    try:
        yield subprocess.run([paths.DAEMON, *map(str, arguments)], cwd=state.parent,
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10)
    finally:
        kill()
        cleanup.forget(state)


def relative_arguments(station):
    """Paths as a person in the daemon's directory types them, but for the state directory."""
    return ["-c", "rstwatchd.conf", "-S", station.daemon.state, "-s", "replay:quiet.replay",
            "-x", station.snmpd.agentx]


def test_it_goes_to_the_background_and_comes_back_for_sighup_and_sigterm(new_station):
    station = new_station(source="none", notify_by=[])
    replay.write(station.daemon.state.parent / "quiet.replay")
    station.snmpd.start()

    with in_background(station, *relative_arguments(station)) as started:
        assert (started.returncode, started.stdout, started.stderr) == (0, "", "")
        wait_until(station.daemon.answers, 5, "an answer")
        parent, agent = processes_about(station.daemon.state)

        station.daemon.configuration.write_text("alarm sent { rising = 61 }\n")
        os.kill(parent, signal.SIGHUP)
        station.daemon.wait_for_value("tcpResetAlarmRisingThreshold.sent", 6100)

        os.kill(parent, signal.SIGTERM)
        wait_until(lambda: is_gone(parent) and is_gone(agent), 1, "the end of both processes")


def test_a_wrong_configuration_is_told_before_it_goes_to_the_background(new_station):
    station = new_station(source="none", notify_by=[])
    station.daemon.configuration.write_text("sample-interval = 1\n")
    with in_background(station, *relative_arguments(station)) as started:
        assert started.returncode == 2
        assert "rstwatchd.conf:1:" in started.stderr


def test_a_second_daemon_on_the_same_state_is_refused(new_station, tmp_path):
    station = new_station(source=replay.write(tmp_path / "quiet.replay"), notify_by=[]).start()
    second = subprocess.run(list(map(str, station.daemon.command("-f"))), capture_output=True,
                            text=True, timeout=10)
    assert second.returncode == 1
    assert f"{station.daemon.state}: another rstwatchd uses it" in second.stderr
    assert station.daemon.answers()
