"""A private snmpd: the operator's master agent."""

import secrets

from lab import sinks
from lab.environment import snmp_environment
from lab.ports import free_udp_port
from lab.process import Process
from lab.snmp import (COMMUNITY_READ, COMMUNITY_WRITE, PASSPHRASES, USER, V1, V2C, V2C_WRITE, V3,
                      Client, NoAnswer)
from lab.wait import wait_until

SYS_UP_TIME = "1.3.6.1.2.1.1.3.0"


class Snmpd:
    """Configured at once, started by start(). It keeps port and engine when restarted."""

    def __init__(self, directory, *, agentx=None, port=None, notify=(), extra="", netns=None):
        """notify: (receiver, how: of lab.sinks) …; extra: lines of snmpd.conf."""
        directory.mkdir()
        self.directory = directory
        self.agentx = agentx or f"unix:{directory / 'agentx'}"
        self.port = port or free_udp_port()
        self.engine_id = "0x80001f8804" + secrets.token_hex(8)
        self.process = None
        self._env = snmp_environment(directory)
        self._configuration = directory / "snmpd.conf"
        self._notify, self._extra = list(notify), extra
        self._netns = netns
        self._create_user()
        self.v1, self.v2c, self.write, self.v3 = (
            Client(directory / f"client-{number}", f"udp:127.0.0.1:{self.port}", credentials, netns)
            for number, credentials in enumerate((V1, V2C, V2C_WRITE, V3)))

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def notify(self, receiver, how):
        """One more, from the next start on."""
        self._notify.append((receiver, how))

    def start(self):
        self._configuration.write_text("\n".join(self._lines()) + "\n")
        self.process = Process("snmpd", [
            "snmpd", "-f", "-Lf", "/dev/stdout", "-c", self._configuration,
            "-I", "-smux"], env=self._env, netns=self._netns)
        wait_until(self._answers_or_ended, 10, lambda: f"an answer of snmpd:\n{self.process.log}")
        return self

    def answers(self, timeout=0.2):
        try:
            return self.v2c.get(SYS_UP_TIME, timeout=timeout, retries=0) is not None
        except NoAnswer:
            return False

    def stop(self):
        if self.process:
            self.process.stop()

    def kill(self):
        self.process.kill()

    def restart(self):
        self.stop()
        self.start()

    def pause(self):
        self.process.pause()

    def resume(self):
        self.process.resume()

    def _answers_or_ended(self):
        if not self.process.running:
            raise RuntimeError(f"snmpd ended:\n{self.process.log}")
        return self.answers()

    def _create_user(self):
        """As net-snmp wants it: in the persistent file, which snmpd then rewrites."""
        (self.directory / "persistent" / "snmpd.conf").write_text(
            f"createUser {USER} SHA {PASSPHRASES['auth']} AES {PASSPHRASES['priv']}\n")

    def _lines(self):
        return [
            "master agentx",
            f"agentXSocket {self.agentx}",
            "agentXPerms 0777 0755",
            "dontLogTCPWrappersConnects yes",
            "maxGetbulkResponses 10000",  # its default, 100, would hide how the subagent answers
            f"agentaddress udp:127.0.0.1:{self.port}",
            f"exactEngineID {self.engine_id}",
            f"rocommunity {COMMUNITY_READ} 127.0.0.1",
            f"rwcommunity {COMMUNITY_WRITE} 127.0.0.1",
            f"rwuser {USER} priv",
            *(line for receiver, how in self._notify
              for line in sinks.snmpd_lines(how, receiver.target, self.engine_id)),
            self._extra,
        ]
