"""rstsample: the sampler alone, and the file that it writes."""

import subprocess

import pytest

from lab import paths
from lab.process import Process
from lab.resets import ResetGenerator

CONNECTIONS = 50
SOURCES = ["bpf", "nftables", "procfs"]


def run(*arguments):
    return subprocess.run([paths.RSTSAMPLE, *map(str, arguments)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=20)


def values(line):
    return dict(word.split("=") for word in line.split())


def without_time(lines):
    """Each that differs from the one before."""
    rest = [line.partition(" ")[2] for line in lines if line and line[0] != "#"]
    return [line for n, line in enumerate(rest) if n == 0 or line != rest[n - 1]]


@pytest.mark.parametrize("source", SOURCES)
def test_prints_what_is_received_and_sent_and_it_plays_as_the_same(source, pair, tmp_path):
    here, there = pair
    command = [paths.RSTSAMPLE, "-s", source, "-i", 50]
    with Process("rstsample", command, netns=here.namespace) as sampler:
        sampler.wait_for_line(r"^time_ms=0 ")
        ResetGenerator(here, there, count=CONNECTIONS).finish(timeout=10)
        ResetGenerator(there, here, count=2 * CONNECTIONS).finish(timeout=10)
        sampler.wait_for_line(f"tcpResetReceived={CONNECTIONS} tcpResetSent={2 * CONNECTIONS} ")
    text = sampler.log + "\n"
    assert text.startswith(f"# source {source}\n")
    method = "estimated" if source == "procfs" else "exact"
    assert values(sampler.lines[-1].text)["received_method"] == method

    recorded = tmp_path / "recorded.replay"
    recorded.write_text(text)
    last_ms = int(values(sampler.lines[-1].text)["time_ms"])
    played = run("-s", f"replay:{recorded}", "-i", 10, "-n", last_ms // 10 + 5)
    assert played.returncode == 0, played.stderr
    assert without_time(played.stdout.splitlines()) == without_time(text.splitlines())


def test_a_reading_that_fails_is_a_line_that_fails(tmp_path):
    file = tmp_path / "fails.replay"
    file.write_text("time_ms=0 tcpResetReceived=0\ntime_ms=30 fail=1\n"
                    "time_ms=60 tcpResetReceived=5\n")
    result = run("-s", f"replay:{file}", "-i", 10, "-n", 10)
    assert result.returncode == 0
    assert without_time(result.stdout.splitlines()) == [
        "tcpResetReceived=0 received_method=estimated", "fail=1",
        "tcpResetReceived=5 received_method=estimated"]
    assert "rstsample[" in result.stderr and f"{file}:2: fail=1" in result.stderr


def test_count_and_interval(tmp_path):
    file = tmp_path / "one.replay"
    file.write_text("time_ms=0 tcpResetReceived=0\n")
    lines = run("-s", f"replay:{file}", "-i", 40, "-n", 4).stdout.splitlines()
    times = [int(values(line)["time_ms"]) for line in lines[1:]]
    assert len(times) == 4
    assert times[0] == 0
    assert times[-1] >= 120


def test_help_names_options_and_sources():
    result = run("--help")
    assert (result.returncode, result.stderr) == (0, "")
    for word in ("-i ", "-n ", "-s ", "auto", "procfs", "replay:FILE"):
        assert word in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


@pytest.mark.parametrize("arguments, said", [
    (["-n", "0"], '-n "0": expected a number from 1 to 9223372036854775807'),
    (["-n", "-1"], '-n "-1": expected a number from 1 to'),
    (["-n", "5x"], '-n "5x": expected'),
    (["-n", ""], '-n "": expected'),
    (["-i", "9"], '-i "9": expected a number from 10 to 60000'),
    (["-i", "99999999999999999999"], "-i "),
    (["-s", "nonsense"], 'source "nonsense"'),
    (["-s", "replay"], "expected replay:FILE"),
    (["surplus"], 'unexpected argument "surplus"'),
    (["-Q"], "Q"),
])
def test_wrong_usage_ends_with_2_and_says_what(arguments, said):
    result = run(*arguments)
    assert result.returncode == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_a_source_that_cannot_be_opened_ends_with_1(tmp_path):
    result = run("-s", f"replay:{tmp_path}/none")
    assert result.returncode == 1
    assert f"rstsample: {tmp_path}/none: No such file or directory" in result.stderr


def test_output_that_cannot_be_written_ends_with_1():
    with open("/dev/full", "w") as full:
        result = subprocess.run([paths.RSTSAMPLE, "-s", "procfs", "-n", "5", "-i", "10"],
                                stdout=full, stderr=subprocess.PIPE, text=True, timeout=20)
    assert result.returncode == 1
    assert "No space left on device" in result.stderr


def test_needs_no_library_of_the_agent():
    linked = subprocess.run(["ldd", paths.RSTSAMPLE], capture_output=True, text=True, check=True)
    for library in ("netsnmp", "sqlite", "confuse"):
        assert library not in linked.stdout
