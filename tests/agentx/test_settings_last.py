"""A value that was set lasts: over kill -9, restart and SIGHUP, until it is forgotten."""

import subprocess

import pytest

from lab import replay
from lab.small_disk import small_file_system
from lab.snmp import Refused

RISING, FALLING = "tcpResetAlarmRisingThreshold", "tcpResetAlarmFallingThreshold"
FILE = "alarm received { rising = 60.0 falling = 6.0 }\n"
OTHER_FILE = "alarm received { rising = 80.0 falling = 8.0 }\nalarm sent { rising = 33.0 }\n"


@pytest.fixture
def make(new_station, tmp_path):
    """Makes a station that replays silence."""
    def make(**options):
        return new_station(source=replay.write(tmp_path / "quiet.replay"), notify_by=[], **options)
    return make


def rising(station, metric="received"):
    return station.manager.get(f"{RISING}.{metric}")


def set_rising(station, value, metric="received"):
    station.operator.set((f"{RISING}.{metric}", "u", value))


def test_kill_9_right_after_the_answer_keeps_the_value(make):
    station = make().start()
    for value in 7001, 7002, 7003:
        set_rising(station, value)
        station.daemon.kill_every_process()
        station.daemon.start()
        assert rising(station) == value


def test_a_set_value_wins_over_the_file_after_a_restart(make):
    station = make(configuration=FILE).start()
    assert rising(station) == 6000
    set_rising(station, 7000)
    station.daemon.restart()
    assert rising(station) == 7000
    assert station.manager.get(f"{FALLING}.received") == 600


def test_a_set_value_wins_over_the_file_after_sighup(make):
    station = make(configuration=FILE).start()
    set_rising(station, 7000)
    station.daemon.configuration.write_text(OTHER_FILE)
    station.daemon.reload()
    station.daemon.wait_for_value(f"{RISING}.sent", 3300)
    assert rising(station) == 7000
    assert station.manager.get(f"{FALLING}.received") == 800


def test_the_log_names_what_differs_from_the_file_at_start(make):
    station = make(configuration=FILE).start()
    set_rising(station, 7000)
    station.daemon.restart()
    named = station.daemon.process.wait_for_line("received.*rising|rising.*received")
    assert "70" in named[0].text and "60" in named[0].text


def test_check_config_names_what_differs_from_the_file(make):
    station = make(configuration=FILE).start()
    set_rising(station, 7000)
    station.daemon.stop()
    result = run(station.daemon.command("--check-config"))
    assert result.returncode == 0
    differing = [line for line in result.stdout.splitlines() if "rising" in line]
    assert len(differing) == 1 and "70" in differing[0]


def test_reset_settings_forgets_what_was_set(make):
    station = make(configuration=FILE).start()
    set_rising(station, 7000)
    set_rising(station, 7000, "sent")
    station.daemon.stop()
    assert run(station.daemon.command("--reset-settings")).returncode == 0
    station.daemon.start()
    assert (rising(station), rising(station, "sent")) == (6000, 5000)


def test_a_full_disk_is_commit_failed_and_changes_nothing(make, tmp_path):
    station = make()
    with small_file_system(station.daemon.state) as fill:
        station.start()
        set_rising(station, 7000)
        release = fill()
        assert refusal(station, 7500) == "commitFailed"
        assert rising(station) == 7000
        release()
        set_rising(station, 8000)
        assert rising(station) == 8000


def test_what_a_full_disk_refused_is_not_there_after_a_restart(make):
    station = make()
    with small_file_system(station.daemon.state) as fill:
        station.start()
        set_rising(station, 7000)
        release = fill()
        assert refusal(station, 7500) == "commitFailed"
        release()
        station.daemon.kill_every_process()
        station.daemon.start()
        assert rising(station) == 7000


def refusal(station, value):
    with pytest.raises(Refused) as refused:
        set_rising(station, value)
    return refused.value.status


def run(command):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=10)
