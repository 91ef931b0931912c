"""The peer: the packaged prometheus-node-exporter, as it comes, asked by HTTP as Prometheus does."""

import http.client

from lab.ports import free_tcp_port
from lab.process import Process
from lab.wait import wait_until


class NodeExporter:
    """In a network namespace of the lab, whose counters it reads."""

    def __init__(self, namespace):
        self._namespace = namespace
        self._port = free_tcp_port()
        self.process = None

    def __enter__(self):
        self.process = Process("node_exporter", [
            "prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{self._port}"],
            netns=self._namespace)
        wait_until(self._answers, 10, lambda: f"metrics of node_exporter:\n{self.process.log}")
        return self

    def __exit__(self, *_):
        self.process.stop()

    @property
    def pids(self):
        return [self.process.pid]

    def scrape(self):
        """What Prometheus would get."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        with self._namespace.inside():
            connection.connect()
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        return text

    def _answers(self):
        try:
            return "\nnode_netstat_Tcp_" in self.scrape()
        except OSError:
            return False
