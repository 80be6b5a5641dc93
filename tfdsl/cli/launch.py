"""`tfdsl launch`: runs a program on a cluster of processes on this machine, all of which end with it.

The processes are the servers, started as by `tfdsl server`, and one `tfdsl run`. The run writes to standard
output and standard error as it does without a cluster. The output of the servers goes to standard error, with the
name of the server on each line.
"""

import argparse
import json
import os
import random
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..diagnostics import SERVER_ENDED, SERVER_OPEN, Diagnostic, TfgError
from ..diagnostics.spelling import counted
from . import run, signals
from .child import child, environment
from .compiling import compile_given
from .parser import CommandParser
from .report import WrongUse, errors, tell

RESTARTS = 3  # of each server
_MOST = 100  # servers per job
_START_SECONDS = 120.0  # until they listen
_POLL_SECONDS = 0.05
# Below the ports that systems give to connections; a connection could take the port of a server while it restarts.
_PORTS = range(20000, 32000)
_HOST = "127.0.0.1"


def configure(parser: CommandParser) -> None:
    run.configure(parser)
    parser.description = (
        "Run a program on a cluster of processes on this machine: it starts parameter servers and workers, runs the "
        "program on them as `tfdsl run` does, with the same options, and ends them. A server that ends early is "
        f"restarted up to {counted(RESTARTS, 'time')}. Ctrl-C and SIGTERM reach the run; a second one ends everything."
    )
    _add_sizes(parser)


def _add_sizes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ps", metavar="N", type=_number, default=1, help="parameter servers (default: 1)")
    parser.add_argument("--workers", metavar="N", type=_number, default=2, help="workers (default: 2)")


def _number(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not 1 <= number <= _MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {_MOST}")
    return number


def command(arguments: argparse.Namespace) -> int:
    given, _ = compile_given(arguments)  # reports errors of the program before anything starts
    if given.cluster is not None:
        raise WrongUse("launch makes its own cluster: leave 'cluster' out of the config file, or use tfdsl run")
    with asked_to_end() as asked, tempfile.TemporaryDirectory(prefix="tfdsl-launch-") as folder:
        config = os.path.join(folder, "cluster.yaml")
        servers = _servers(arguments)
        jobs = {job: [f"{_HOST}:{one.port}" for one in servers if one.job == job] for job in ("ps", "worker")}
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"cluster": jobs}, file)  # JSON is YAML too
        with Processes(servers, config) as processes:
            processes.start(asked)
            if not arguments.quiet and not asked:
                ports = "the ports " + ", ".join(str(one.port) for one in servers)
                tell(f"tfdsl: {', '.join(one.name for one in servers)} listen")
                errors([Diagnostic(SERVER_OPEN, None, {"ports": ports})])
            if asked:
                signals.tell_interrupted()
                return 128 + asked[0]
            return processes.run(["--config", config, *_rest(arguments.words)], asked)


def _rest(words: list[str]) -> list[str]:
    """The words of a command line to pass to the run."""
    sizes = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    _add_sizes(sizes)
    return sizes.parse_known_args(words[words.index("launch") + 1 :])[1]


@contextmanager
def asked_to_end() -> Iterator[list[int]]:
    """The signals that asked this process to end, as they arrive."""
    asked: list[int] = []
    with signals.handled(lambda number, frame: asked.append(number)):
        yield asked


@dataclass(slots=True)
class Server:
    """A server of the cluster and its process."""

    job: str
    task: int
    port: int
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    said: bytes = b""  # of an unfinished line

    @property
    def name(self) -> str:
        return f"{self.job} {self.task}"


def _servers(arguments: argparse.Namespace) -> list[Server]:
    ports = iter(_free_ports(arguments.ps + arguments.workers))
    sizes = {"ps": arguments.ps, "worker": arguments.workers}
    return [Server(job, task, next(ports)) for job, size in sizes.items() for task in range(size)]


def _free_ports(wanted: int) -> list[int]:
    found: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as asked:
            try:
                asked.bind(("", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == wanted:
            return found
    raise OSError(None, "no ports are free", "the network of this machine")


class Processes:
    """The processes of a cluster. They end with the `with` block."""

    def __init__(self, servers: list[Server], config: str):
        self._servers, self._config = servers, config
        # Connections to this machine must not use a proxy.
        self._environment = {**environment(), "no_grpc_proxy": _HOST}
        self._outputs = selectors.DefaultSelector()
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()  # ends a stopped process too; a server has nothing to save
        for process in self._processes:
            process.wait()

    def start(self, asked: list[int]) -> None:
        """Start the servers. Return when all of them listen, or when this process is asked to end."""
        waiting = [(server, self._start(server)) for server in self._servers]
        end = time.monotonic() + _START_SECONDS
        while waiting and not asked:
            self._show_output()
            for server, process in waiting:
                code = process.poll()
                if code is not None or time.monotonic() > end:
                    self._show_output()
                    reason = f"started {_START_SECONDS:g} seconds ago" if code is None else _ended(code)
                    details = {"job": server.job, "task": server.task, "reason": reason}
                    raise TfgError([Diagnostic(SERVER_ENDED, None, details)])
            waiting = [(server, process) for server, process in waiting if not _listens(server.port)]

    def run(self, words: list[str], asked: list[int]) -> int:
        """Run the program while keeping the servers alive; return the exit code of the run."""
        process = self._process(["run", *words])
        told = 0
        while process.poll() is None:
            self._show_output()
            self._restart()
            for number in asked[told:]:
                process.send_signal(number if told == 0 else signal.SIGKILL)
                told += 1
        self._show_output()
        code = process.returncode
        if told and code < 0:  # it was killed by a second signal, or because it did not end when asked
            return 128 + asked[0]
        return code if code >= 0 else 128 - code

    def _process(
        self, words: list[str], stdin: int | None = None, stdout: int | None = None, stderr: int | None = None
    ) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            child(*words), env=self._environment, stdin=stdin, stdout=stdout, stderr=stderr,
            start_new_session=True,  # so Ctrl-C on a terminal only reaches it through this process
        )  # fmt: skip
        self._processes.append(process)
        signals.children.add(process)
        return process

    def _start(self, server: Server) -> subprocess.Popen[bytes]:
        words = ["server", "--config", self._config, "--job", server.job, "--task", str(server.task), "--quiet"]
        process = self._process(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert process.stdout is not None  # it is a pipe
        os.set_blocking(process.stdout.fileno(), False)
        self._outputs.register(process.stdout, selectors.EVENT_READ, (server, process.stdout))
        server.process = process
        server.starts += 1
        return process

    def _restart(self) -> None:
        """Restart the servers that have ended."""
        for server in self._servers:
            if server.process is None or server.process.poll() is None:
                continue
            what = f"tfdsl: {server.name} {_ended(server.process.returncode)}"
            server.process = None
            if server.starts > RESTARTS:
                _say(f"{what}, for the {server.starts}th time: it is not restarted")
            else:
                _say(f"{what}: it is restarted ({server.starts} of {RESTARTS})")
                self._start(server)

    def _show_output(self) -> None:
        """Show the output of the servers in whole lines, waiting a moment for it."""
        for key, _ in self._outputs.select(_POLL_SECONDS):
            server, output = key.data
            read = os.read(key.fd, 1 << 16)
            *lines, server.said = (server.said + read).split(b"\n")
            if not read:
                self._outputs.unregister(output)
                output.close()
                lines, server.said = [line for line in (server.said,) if line], b""
            for line in lines:
                _say(f"{server.name} | {line.decode('utf-8', 'replace')}")


def _say(line: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")  # clears a progress bar of the run, which redraws itself
    tell(line)


def _ended(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"has ended with exit code {code}"


def _listens(port: int) -> bool:
    with socket.socket() as asked:
        asked.settimeout(1)
        return asked.connect_ex((_HOST, port)) == 0
