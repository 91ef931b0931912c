"""The daemon under test: build/rstwatchd in the foreground."""

import os
import shutil
import signal
from pathlib import Path

from lab import paths
from lab.process import Process, children_of, is_gone
from lab.snmp import Missing, NoAnswer, Refused
from lab.wait import wait_until

FIRST_OBJECT_KNOWN = "tcpResetSampleAge.0"  # there is a sample from then on


class Daemon:
    """Configured at once, started by start(). State outlives its restarts."""

    def __init__(self, directory, snmpd, *, netns=None, source="procfs", configuration="",
                 user=None, env=None):
        directory.mkdir(exist_ok=True)
        self.snmpd = snmpd
        self.configuration = directory / "rstwatchd.conf"
        self.state = directory / "state"
        self.state.mkdir(mode=0o700, exist_ok=True)
        self.configuration.write_text(configuration)
        self.process = None
        self._netns = netns
        self._env = env
        self._arguments = ["-x", snmpd.agentx, "-S", self.state, "-s", source]
        if user:
            shutil.chown(self.state, user)
            self._arguments += ["-u", user]

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.start_unready()
        self.wait_ready()
        return self

    def start_unready(self):
        self.process = Process("rstwatchd", self.command("-f"), netns=self._netns,
                               env=self._env)

    def command(self, *options):
        return [paths.DAEMON, *options, "-c", self.configuration, *self._arguments]

    def wait_ready(self, timeout=5):
        wait_until(self._answers_or_ended, timeout,
                   lambda: f"an answer of the daemon, which said:\n{self.process.log}")

    def answers(self, timeout=0.2):
        """There is a sample and it is answered for."""
        try:
            value = self.snmpd.v2c.get(FIRST_OBJECT_KNOWN, timeout=timeout, retries=0)
        except NoAnswer:
            return False
        return not isinstance(value, Missing)

    def wait_for_samples(self, count, timeout=5):
        """Waits until that many more samples are answered for: their age falls back."""
        ages = [self._sample_age()]

        def enough():
            ages.append(self._sample_age())
            return sum(new < old for old, new in zip(ages, ages[1:])) >= count

        wait_until(enough, timeout, lambda: f"{count} new samples; their age in ms was {ages}")

    def wait_until_quiet(self, timeout=15):
        """Waits until the 10 s averages are 0."""
        averages = ["tcpResetReceivedAvg10s.0", "tcpResetSentAvg10s.0"]
        wait_until(lambda: self.snmpd.v2c.values(*averages) == [0, 0], timeout, "averages of 0")

    def wait_for_value(self, name, expected, timeout=5):
        """As a poller does that asks again later if the agent was just being replaced."""
        wait_until(lambda: self._value_or_error(name) == expected, timeout,
                   lambda: f"{name} = {expected}; it is {self._value_or_error(name)}")

    @property
    def agent_pid(self):
        """The process that speaks AgentX: the only child."""
        children = children_of(self.process.pid)
        return children[0] if len(children) == 1 else None

    def reload(self):
        self.process.send(signal.SIGHUP)

    def stop(self):
        if not self.process:
            return
        running = self.process.running
        status = self.process.stop()
        if running and status != 0:
            raise AssertionError(f"{self.process!r} ended with {status}:\n{self.process.log}")

    def kill_every_process(self):
        """kill -9 of all at once, as when the power fails: the parent can neither start
        another agent nor give the old one time to end well."""
        self.process.send(signal.SIGSTOP)
        pids = children_of(self.process.pid)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.process.kill()
        wait_until(lambda: all(map(is_gone, pids)), 5, "the end of every process of the daemon")

    def kill_agent(self):
        """kill -9 of the agent alone; the parent lives on."""
        pid = self.agent_pid
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: is_gone(pid), 5, "the end of the agent")

    def agent_status(self):
        """/proc/<agent>/status: the words after each key."""
        lines = Path(f"/proc/{self.agent_pid}/status").read_text().splitlines()
        return {key: words.split() for key, _, words in (line.partition(":") for line in lines)}

    def restart(self):
        self.stop()
        self.start()

    def _value_or_error(self, name):
        try:
            return self.snmpd.v2c.get(name)
        except (NoAnswer, Refused) as error:
            return error

    def _sample_age(self):
        return self.snmpd.v2c.get("tcpResetSampleAge.0")

    def _answers_or_ended(self):
        if not self.process.running:
            raise RuntimeError(f"the daemon ended with {self.process.status}:\n{self.process.log}")
        return self.answers()
