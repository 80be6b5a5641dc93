"""Clusters for tests: servers of `tfdsl server` on loopback, in a separate network if the system allows it.

TensorFlow's servers listen on every interface, without a password. So they run in a network namespace with only `lo`,
together with all processes that connect to them: `command` and `tfdsl` return command lines that enter it. A test
process cannot enter it, so it uses other processes to talk to a cluster.
"""

import functools
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import warnings
from pathlib import Path

import forked

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 300  # a server takes 3 seconds on an idle machine
# `lo` is down in a new namespace. 0x8914 is SIOCSIFFLAGS, 0x41 is IFF_UP | IFF_RUNNING.
_HOLD = """
import fcntl, socket, struct, sys
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh14x", b"lo", 0x41))
print("up", flush=True)
sys.stdin.read()
"""
_WAYS = ((["unshare", "-n"], ["-n"]), (["unshare", "-rn"], ["-U", "--preserve-credentials", "-n"]))


@functools.cache
def _network() -> tuple[subprocess.Popen | None, list[str]]:
    """The process that holds the namespace and ends with this one, and the command prefix that enters the namespace."""
    if shutil.which("unshare") and shutil.which("nsenter"):
        for make, enter in _WAYS:
            holder = subprocess.Popen([*make, sys.executable, "-c", _HOLD], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # fmt: skip
            if holder.stdout.readline() == "up\n":
                entering = ["nsenter", "-t", str(holder.pid), *enter, "--"]
                if subprocess.run([*entering, "true"], stderr=subprocess.DEVNULL).returncode == 0:
                    return holder, entering
            holder.kill()
            holder.wait()
    warnings.warn("no network namespace can be made here: clusters of tests listen on this machine's", stacklevel=2)
    return None, []


def is_apart() -> bool:
    """Whether clusters of tests have a separate network."""
    return _network()[0] is not None


def command(*words: str) -> list[str]:
    """A command in the network of the clusters. The started process is the command itself, so it can be signalled."""
    return [*_network()[1], *words]


def tfdsl(*words: str) -> list[str]:
    """A `tfdsl` command there. It is killed when this process ends, in any way."""
    return command(sys.executable, "-m", "tfdsl.cli.child", str(os.getpid()), *words)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", "TF_USE_LEGACY_KERAS": "1"}


def run(words: list[str], timeout: float = 600, **options) -> subprocess.CompletedProcess:
    """Run such a command, and return its output."""
    return forked.run(words, env=environment(), capture_output=True, text=True, timeout=timeout, **options)


def python(code: str, *arguments: str, **options) -> subprocess.CompletedProcess:
    """Run Python code there."""
    return run(command(sys.executable, "-c", code, *arguments), **options)


def listens(address: str) -> bool:
    """Whether something listens at an address there."""
    host, _, port = address.rpartition(":")
    code = "import socket, sys; sys.exit(socket.socket().connect_ex((sys.argv[1], int(sys.argv[2]))) != 0)"
    return subprocess.run(command(sys.executable, "-S", "-c", code, host, port)).returncode == 0


def free_ports(number: int) -> list[int]:
    """Ports below those that systems give to connections: a server can reuse its port after a restart."""
    found = []
    for port in random.sample(range(20000, 32000), 12000):
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) != 0:
                found.append(port)
        if len(found) == number:
            return found
    raise RuntimeError("no ports are free")


class Cluster:
    """A cluster of processes. `config` is its config file; a server is named as in `kill("worker", 1)`."""

    def __init__(self, folder, ps: int = 1, workers: int = 2):
        self.folder = Path(folder)
        names = [("ps", task) for task in range(ps)] + [("worker", task) for task in range(workers)]
        ports = dict(zip(names, free_ports(len(names)), strict=True))
        self.addresses = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
        jobs = {job: [at for (one, _), at in self.addresses.items() if one == job] for job in ("ps", "worker")}
        self.config = str(self.folder / "cluster.yaml")
        Path(self.config).write_text(json.dumps({"cluster": jobs}), encoding="utf-8")
        self.processes: dict[tuple[str, int], subprocess.Popen] = {}
        self._waiting: dict[tuple[str, int], int] = {}  # starting servers, with the previous sizes of their logs

    def __enter__(self) -> "Cluster":
        try:
            for name in self.addresses:
                self.start(*name)
            self.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait()

    def start(self, job: str, task: int) -> None:
        """Start a server that is not running. `wait` waits until it listens."""
        with open(self._log(job, task), "ab") as log:
            self._waiting[job, task] = log.tell()
            words = ["server", "--config", self.config, "--job", job, "--task", str(task)]
            self.processes[job, task] = forked.Popen(
                tfdsl(*words), env=environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def is_up(self) -> bool:
        """Whether all started servers listen."""
        for name, begin in list(self._waiting.items()):
            said = self.log(*name)
            if " listens on port " in said[begin:]:
                del self._waiting[name]
            else:
                assert self.processes[name].poll() is None, f"{name} has ended:\n{said}"
        return not self._waiting

    def wait(self) -> None:
        """Wait until all started servers listen."""
        end = time.monotonic() + START_SECONDS
        while not self.is_up():
            assert time.monotonic() < end, f"these do not listen: {list(self._waiting)}"
            time.sleep(0.05)

    def kill(self, job: str, task: int) -> None:
        """Kill a server, like a crash."""
        self._waiting.pop((job, task), None)
        self.processes[job, task].kill()
        self.processes[job, task].wait()

    def stop(self, job: str, task: int) -> None:
        """Freeze a server: its process exists, but does not answer."""
        self.processes[job, task].send_signal(signal.SIGSTOP)

    def cont(self, job: str, task: int) -> None:
        self.processes[job, task].send_signal(signal.SIGCONT)

    def restart(self, job: str, task: int) -> None:
        """Kill a server if it runs, start it, and wait until it listens."""
        self.kill(job, task)
        self.start(job, task)
        self.wait()

    def mend(self) -> None:
        """Restart all servers that were stopped or killed."""
        for (job, task), process in self.processes.items():
            if process.poll() is None:
                self.cont(job, task)
            else:
                self.start(job, task)
        self.wait()

    def log(self, job: str, task: int) -> str:
        """The output of a server since its first start."""
        return self._log(job, task).read_text(encoding="utf-8")

    def _log(self, job: str, task: int) -> Path:
        return self.folder / f"{job}-{task}.log"

    def run(self, *words: str, **options) -> subprocess.CompletedProcess:
        """Run a `tfdsl` command with the cluster's config."""
        return run(tfdsl(*words, "--config", self.config), **options)
