"""An snmptrapd that gives each trap to a command."""

from lab import paths, sinks
from lab.environment import snmp_environment
from lab.ports import free_udp_port
from lab.process import Process


NUMBERS = ("-m", "", "-On")
NAMES = ("-M", paths.MIB_DIRECTORIES, "-m", paths.MIB_MODULES)


class Trapd:
    def __init__(self, directory, name, command, output=NUMBERS):
        self.target = f"127.0.0.1:{free_udp_port()}"
        place = directory / f"snmptrapd-{name}"
        place.mkdir()
        configuration = place / "snmptrapd.conf"
        configuration.write_text(f"authCommunity log,execute,net {sinks.V2C}\n"
                                 f"traphandle default {command}\n")
        self.command = ["snmptrapd", "-f", "-n", "-X", *output, "-c", configuration,
                        "-Lf", "/dev/stdout", f"udp:{self.target}"]
        self.env = snmp_environment(place)

    def start(self):
        process = Process("snmptrapd", self.command, env=self.env)
        process.wait_for_line("^NET-SNMP version")
        return process
