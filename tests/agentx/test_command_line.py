"""Options, exit status and messages: what an operator sees on a shell."""

import re
import subprocess

import pytest

from lab import definitions, mib, paths

OK, FAILED, USAGE = 0, 1, 2


def run(*arguments):
    return subprocess.run([paths.DAEMON, *map(str, arguments)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=10)


@pytest.fixture
def check(tmp_path):
    """Runs --check-config on a configuration."""
    path, state = tmp_path / "rstwatchd.conf", tmp_path / "state"
    state.mkdir(mode=0o700)

    def check(text, *options):
        path.write_text(text)
        return run("--check-config", "-c", path, "-S", state, *options)
    return check


def test_version_is_one_line():
    result = run("--version")
    assert result.returncode == OK
    assert re.fullmatch(r"rstwatch\w* \d+\.\d+.*\n", result.stdout)
    assert result.stderr == ""


def test_help_names_every_option():
    result = run("--help")
    assert result.returncode == OK
    assert result.stderr == ""
    for option in ("-f", "-c", "-x", "-S", "-s", "-u", "-v", "--list", "--check-config",
                   "--reset-settings", "--version", "--help"):
        assert re.search(rf"(^|[\s,]){option}\b", result.stdout), option
    for source in ("auto", "procfs", "replay"):
        assert source in result.stdout


def test_help_fits_a_terminal():
    assert max(map(len, run("--help").stdout.splitlines())) <= 80


def test_list_has_every_counter_with_oid_kernel_name_and_meaning():
    result = run("--list")
    assert result.returncode == OK
    lines = result.stdout.splitlines()
    for row in definitions.counters():
        found = [line for line in lines if re.search(rf"\b{row.name}\b", line)]
        assert len(found) == 1, row.name
        assert mib.oid(row.name) in found[0]
        assert row.linux_source in found[0]
        assert row.meaning in result.stdout


def test_list_has_every_cause_of_each_direction_with_oid_and_phrase():
    lines = [line.split(maxsplit=2) for line in run("--list").stdout.splitlines()]
    expected = [[name := f"tcpResetCauseCount.{direction}.{row.label}", mib.oid(name), phrase]
                for direction in ("received", "sent") for row in definitions.causes()
                if (phrase := getattr(row, direction))]
    assert [line for line in lines if line[0].startswith("tcpResetCause")] == expected


@pytest.mark.parametrize("arguments, said", [
    (["--nonsense"], "nonsense"),
    (["-Q"], "Q"),
    (["-c"], "c"),
    (["-s"], "s"),
    (["surplus"], "surplus"),
    (["-f", "-s", "nonsense"], "nonsense"),
    (["-f", "-s", "replay"], "replay"),
    (["-f", "-s", "replay:"], "replay"),
    (["-f", "-u", "no-such-user-here"], "no-such-user-here"),
])
def test_wrong_usage_ends_with_2_and_says_what(arguments, said, tmp_path):
    # A source that is named last wins, should the daemon go on to start.
    result = run("-S", tmp_path, "-x", f"unix:{tmp_path}/none", *arguments)
    assert result.returncode == USAGE
    assert said in result.stderr
    assert result.stdout == ""


def test_a_replay_file_that_is_not_there_is_named(tmp_path):
    missing = tmp_path / "missing.replay"
    result = run("-f", "-S", tmp_path, "-x", f"unix:{tmp_path}/none", "-s", f"replay:{missing}")
    assert result.returncode in (FAILED, USAGE)
    assert f"{missing}: No such file or directory" in result.stderr


def test_a_wrong_line_of_a_replay_file_is_named(tmp_path):
    wrong = tmp_path / "wrong.replay"
    wrong.write_text("time_ms=0 tcpResetReceived=0\ntime_ms=100 tcpResetReceived=many\n")
    result = run("-f", "-S", tmp_path, "-x", f"unix:{tmp_path}/none", "-s", f"replay:{wrong}")
    assert result.returncode in (FAILED, USAGE)
    assert f"{wrong}:2: tcpResetReceived" in result.stderr


def test_a_configuration_that_is_not_there_ends_with_2(tmp_path):
    missing = tmp_path / "missing.conf"
    result = run("-f", "-c", missing, "-S", tmp_path, "-x", f"unix:{tmp_path}/none")
    assert result.returncode == USAGE
    assert f"{missing}: No such file or directory" in result.stderr


def test_check_config_of_a_good_file(check):
    result = check('agentx-address = "unix:/run/agentx"\nsample-interval = 250\n'
                   "alarm received { rising = 12.5 falling = 0.25 baseline-factor = 3 }\n"
                   'alarm sent { enabled = false causes = {"all"} }\n'
                   "alarm synCookies { raise-delay = 1 clear-delay = 3600 }\n")
    assert (result.returncode, result.stderr) == (OK, "")


def test_check_config_of_an_empty_file(check):
    assert check("").returncode == OK


@pytest.mark.parametrize("text, line, key, expected", [
    ("nonsense = 1\n", 1, "nonsense", ""),
    ("sample-interval = 99\n", 1, "sample-interval", "100 and 1000"),
    ("sample-interval = 1001\n", 1, "sample-interval", "100 and 1000"),
    ("\n\nevent-capacity = 9\n", 3, "event-capacity", "10 and 100000"),
    ("sample-interval = often\n", 1, "sample-interval", "integer"),
    ("alarm received {\n rising = 0\n}\n", 2, "rising", "0.01"),
    ("alarm received {\n rising = 99999999999\n}\n", 2, "rising", "42949672.95"),
    ("alarm received {\n rising = many\n}\n", 2, "rising", "float"),
    ("alarm received {\n baseline-factor = 1001\n}\n", 2, "baseline-factor", "0 and 1000"),
    ("alarm received {\n raise-delay = -1\n}\n", 2, "raise-delay", "0 and 3600"),
    ("alarm received {\n enabled = maybe\n}\n", 2, "enabled", "boolean"),
    ('alarm received {\n causes = {"sunspots"}\n}\n', 2, "causes", "sunspots"),
    ("alarm received {\n threshold = 5\n}\n", 2, "threshold", ""),
    ("alarm sent {\n rising = 5\n falling = 6\n}\n", 4, "falling", "rising"),
    ("alarm nonsense {\n}\n", 2, "nonsense", "received, sent or synCookies"),
    ("alarm received {\n rising = 5\n", 3, "", "}"),
])
def test_a_wrong_configuration_names_file_line_key_and_what_was_expected(
        check, tmp_path, text, line, key, expected):
    result = check(text)
    assert result.returncode == USAGE
    said = re.search(r"(\S+/rstwatchd\.conf):(\d+): (.*)", result.stderr)
    assert said, result.stderr
    assert (said[1], int(said[2])) == (f"{tmp_path}/rstwatchd.conf", line)
    assert key in said[3]
    assert expected in said[3]
    assert len(result.stderr.splitlines()) == 1


def test_a_wrong_configuration_is_not_started_with(tmp_path):
    path = tmp_path / "rstwatchd.conf"
    path.write_text("sample-interval = 1\n")
    result = run("-f", "-c", path, "-S", tmp_path, "-x", f"unix:{tmp_path}/none")
    assert result.returncode == USAGE
    assert f"{path}:1:" in result.stderr


def test_a_state_directory_that_cannot_be_used_ends_with_1(tmp_path):
    no_directory = tmp_path / "file"
    no_directory.write_text("")
    replay = tmp_path / "quiet.replay"
    replay.write_text("time_ms=0 tcpResetReceived=0\n")
    result = run("-f", "-S", no_directory, "-x", f"unix:{tmp_path}/none", "-s", f"replay:{replay}")
    assert result.returncode == FAILED
    assert str(no_directory) in result.stderr


def test_a_state_directory_that_others_can_write_is_refused(tmp_path):
    open_to_all = tmp_path / "state"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    replay = tmp_path / "quiet.replay"
    replay.write_text("time_ms=0 tcpResetReceived=0\n")
    result = run("-f", "-S", open_to_all, "-x", f"unix:{tmp_path}/none", "-s", f"replay:{replay}")
    assert result.returncode == FAILED
    assert str(open_to_all) in result.stderr
