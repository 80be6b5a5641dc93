"""`tfdsl server`: runs a task of a cluster, which computes for the runs of the cluster."""

import argparse
import os
import signal
import socket
import time

from ..cluster import Cluster, port
from ..diagnostics import SERVER_OPEN, SERVER_PORT, Diagnostic, TfgError
from ..diagnostics.spelling import counted
from . import tensorflow
from .options import add_cluster_option, cluster_of
from .report import WrongUse, errors, tell


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Run a task of a cluster: keep variables (job ps) or compute (job worker) for `tfdsl run --config FILE.yaml`. "
        "It runs until Ctrl-C or SIGTERM. Start one on each machine of the file. The port that it listens on is open "
        "to every network of this machine, and anyone who reaches it can run code: use a firewall."
    )
    add_cluster_option(parser)
    parser.add_argument("--job", metavar="NAME", required=True, help="the job in the file, such as ps or worker")
    parser.add_argument("--task", metavar="N", type=_number, required=True, help="which task of the job, from 0")
    parser.add_argument("-q", "--quiet", action="store_true", help="print only errors")


def command(arguments: argparse.Namespace) -> int:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    cluster, job, task = cluster_of(arguments), arguments.job, arguments.task
    if task >= len(cluster.jobs.get(job, ())):
        known = ", ".join(f"{job} ({counted(len(tasks), 'task')})" for job, tasks in cluster.jobs.items())
        raise WrongUse(f"there is no {job} {task} in {arguments.config}; there are {known}, counted from 0")
    number = port(cluster.address(job, task))
    _check_port(arguments, number)
    tensorflow.load()
    _start(arguments, cluster, number)
    if not arguments.quiet:
        tell(f"tfdsl: server {job} {task} listens on port {number}")
        errors([Diagnostic(SERVER_OPEN, None, {"ports": f"port {number}"})])
    while True:  # instead of one long wait, which a signal just before it would not end
        time.sleep(1)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0")
    return int(text)


def _end(number: int, frame: object) -> None:
    """End at once. The state of a server is lost in any case."""
    os._exit(128 + number)


def _check_port(arguments: argparse.Namespace, number: int) -> None:
    """Raise an error if the port is taken. TensorFlow would not give the reason."""
    with socket.socket(socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET) as asked:
        if asked.family == socket.AF_INET6:
            asked.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        # Like TensorFlow: old connections of an ended server do not block the port, a listening server does.
        asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            asked.bind(("", number))
        except OSError as error:
            raise _refused(arguments, number, (error.strerror or str(error)).lower()) from None


def _start(arguments: argparse.Namespace, cluster: Cluster, number: int) -> None:
    from ..runtime.cluster.server import NotStarted, start

    def say(line: str) -> None:
        if not arguments.quiet:
            tell(f"tfdsl: {line}")

    try:
        start(cluster, arguments.job, arguments.task, say)
    except NotStarted as error:
        _check_port(arguments, number)  # another process may have taken it meanwhile
        raise _refused(arguments, number, f"TensorFlow says only: {error}") from None


def _refused(arguments: argparse.Namespace, number: int, reason: str) -> TfgError:
    details = {"job": arguments.job, "task": arguments.task, "port": number, "path": arguments.config, "reason": reason}
    return TfgError([Diagnostic(SERVER_PORT, None, details)])
