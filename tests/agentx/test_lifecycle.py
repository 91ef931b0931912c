"""Starts, ends and outages of the daemon, its processes and snmpd."""

import signal
import time

import pytest

from lab import mib, replay
from lab.ports import free_tcp_port
from lab.process import is_gone
from lab.wait import let_pass, wait_until

OUTAGE_SECONDS = 3  # long enough for several attempts to connect

QUIET = ()
STEADY_20 = replay.steady("tcpResetReceived", 20)


@pytest.fixture(params=["unix", "tcp"])
def agentx(request):
    """Options of a station that speaks AgentX in this way."""
    return {"agentx": f"tcp:127.0.0.1:{free_tcp_port()}"} if request.param == "tcp" else {}


@pytest.fixture
def make(new_station, tmp_path):
    def make(moments=QUIET, **options):
        source = replay.write(tmp_path / "scene.replay", *moments)
        return new_station(source=source, notify_by=[], **options)
    return make


def seconds_until(condition, what, timeout=10):
    begun = time.monotonic()
    wait_until(condition, timeout, what)
    return time.monotonic() - begun


def is_measuring(station):
    return station.manager.get("tcpResetReceived.0") > 0


# snmpd comes and goes


def test_snmpd_may_start_after_the_daemon(make, agentx):
    station = make(**agentx)
    station.daemon.start_unready()
    station.daemon.process.wait_for_line(".")
    station.snmpd.start()
    assert seconds_until(station.daemon.answers, "an answer") < 1


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_it_answers_within_a_second_of_an_snmpd_that_came_back(make, agentx, end):
    station = make(**agentx).start()
    getattr(station.snmpd, end)()
    station.snmpd.start()
    assert seconds_until(station.daemon.answers, "an answer") < 1


def test_it_keeps_measuring_while_snmpd_is_away(make):
    station = make(STEADY_20).start()
    station.snmpd.kill()
    let_pass(OUTAGE_SECONDS)
    assert station.daemon.process.running
    station.snmpd.start()
    station.daemon.wait_ready()
    assert station.manager.get("tcpResetReceivedAvg10s.0") >= 20 * OUTAGE_SECONDS * 10


def test_an_outage_is_one_line_in_the_log_and_its_end_another(make, agentx):
    station = make(**agentx).start()
    log = station.daemon.process.lines
    before = len(log)

    station.snmpd.kill()
    let_pass(OUTAGE_SECONDS)
    said_of_the_outage = log[before:]
    station.snmpd.start()
    station.daemon.wait_ready()

    assert len(said_of_the_outage) == 1, said_of_the_outage
    assert len(log) == before + 2, log[before:]


def test_an_snmpd_that_is_absent_at_start_is_one_line_in_the_log(make):
    station = make()
    station.daemon.start_unready()
    first = station.daemon.process.wait_for_line("no AgentX master")[0]
    let_pass(OUTAGE_SECONDS)
    said_since = [line for line in station.daemon.process.lines if line.ns > first.ns]
    assert said_since == []


def test_it_answers_again_after_a_pause_of_snmpd(make):
    station = make(STEADY_20).start()
    station.snmpd.pause()
    let_pass(OUTAGE_SECONDS)
    station.snmpd.resume()
    assert seconds_until(station.daemon.answers, "an answer") < 1
    assert station.manager.get("tcpResetReceivedAvg10s.0") >= 20 * OUTAGE_SECONDS * 10


# The daemon's end


def seconds_to_end(station):
    begun = time.monotonic()
    station.daemon.process.send(signal.SIGTERM)
    status = station.daemon.process.wait_end()
    return time.monotonic() - begun, status


def test_sigterm_ends_it_in_under_a_second(make):
    station = make().start()
    agent = station.daemon.agent_pid
    seconds, status = seconds_to_end(station)
    assert (seconds < 1, status) == (True, 0)
    assert is_gone(agent)


def test_sigterm_ends_it_in_under_a_second_while_snmpd_hangs(make, agentx):
    station = make(**agentx).start()
    agent = station.daemon.agent_pid
    station.snmpd.pause()
    seconds, status = seconds_to_end(station)
    assert (seconds < 1, status) == (True, 0)
    assert is_gone(agent)


def test_sigterm_ends_it_in_under_a_second_without_snmpd(make):
    station = make()
    station.daemon.start_unready()
    station.daemon.process.wait_for_line(".")
    wait_until(lambda: station.daemon.agent_pid, 5, "the agent process")
    seconds, status = seconds_to_end(station)
    assert (seconds < 1, status) == (True, 0)


def test_sigint_ends_it_as_well(make):
    station = make().start()
    station.daemon.process.send(signal.SIGINT)
    assert station.daemon.process.wait_end(1) == 0


def test_after_its_end_snmpd_has_no_such_object(make):
    station = make().start()
    station.daemon.stop()
    below = station.manager.next("tcpResetMIB")[0].oid
    assert not below.startswith(mib.root())


# Its two processes


def test_an_agent_killed_with_9_is_started_again(make):
    station = make(STEADY_20).start()
    wait_until(lambda: is_measuring(station), 5, "growth")
    before, killed = station.manager.get("tcpResetReceived.0"), station.daemon.agent_pid

    station.daemon.kill_agent()
    station.daemon.wait_ready(2)

    assert station.daemon.agent_pid not in (None, killed)
    assert station.manager.get("tcpResetReceived.0") >= before
    assert station.manager.get("tcpResetReceivedAvg10s.0") >= before * 10
    assert station.daemon.process.running


def test_an_agent_killed_with_9_is_one_line_in_the_log(make):
    station = make().start()
    station.daemon.kill_agent()
    station.daemon.wait_ready(2)
    assert len(station.daemon.process.matching("agent process.*signal 9")) == 1


def test_the_agent_goes_with_a_parent_killed_with_9(make):
    station = make().start()
    agent = station.daemon.agent_pid
    station.daemon.process.kill()
    wait_until(lambda: is_gone(agent), 1, "the end of the agent")
    assert station.daemon.process.status == -signal.SIGKILL


def test_it_starts_again_after_kill_9_of_both(make):
    station = make().start()
    station.daemon.kill_every_process()
    station.daemon.start()


def test_the_agent_runs_as_the_user_that_was_asked_for(make):
    station = make(user="nobody").start()
    status = station.daemon.agent_status()
    assert status["Uid"] == ["65534"] * 4
    assert status["Groups"] == [] or status["Groups"] == ["65534"]
    assert status["CapEff"] == ["0" * 16]


# SIGHUP


def test_sighup_reads_the_configuration_again(make):
    station = make(configuration="alarm received { rising = 60 }\n").start()
    station.daemon.configuration.write_text("alarm received { rising = 70 }\n")
    station.daemon.reload()
    station.daemon.wait_for_value("tcpResetAlarmRisingThreshold.received", 7000)


def test_sighup_with_a_wrong_file_keeps_the_old_configuration(make):
    station = make(configuration="alarm received { rising = 60 }\n").start()
    station.daemon.configuration.write_text("alarm received {\n rising = often\n}\n")
    station.daemon.reload()
    station.daemon.process.wait_for_line(r"rstwatchd\.conf:2:.*rising")
    station.daemon.wait_for_samples(2)
    assert station.manager.get("tcpResetAlarmRisingThreshold.received") == 6000

    station.daemon.configuration.write_text("alarm received { rising = 80 }\n")
    station.daemon.reload()
    station.daemon.wait_for_value("tcpResetAlarmRisingThreshold.received", 8000)
