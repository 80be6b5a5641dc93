"""`tfdsl reset`: the variables of one container are forgotten by all servers of a cluster."""

import argparse

from ..diagnostics import SERVER_SILENT, Diagnostic, TfgError
from .options import add_cluster_option, cluster_of
from .report import WrongUse, tell


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Clear one container on all servers of a cluster: its variables are forgotten. What is in other containers, "
        "and the runs that use it, go on undisturbed; a run that uses this one finds its variables gone."
    )
    add_cluster_option(parser)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--container", metavar="NAME", help='what stands in `container "NAME":` in programs')
    which.add_argument("--default", action="store_true", help="the variables that are in no container of a program")
    parser.add_argument("--timeout", metavar="SECONDS", type=_seconds, default=60.0,
                        help="how long to wait for the servers (default: 60)")  # fmt: skip
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing but errors")


def command(arguments: argparse.Namespace) -> int:
    cluster = cluster_of(arguments)
    if arguments.container == "":
        raise WrongUse("--container needs a name; the variables that are in no container are cleared by --default")
    from ..runtime.containers import clear

    failed = clear(cluster, arguments.container, arguments.timeout)
    what = "the default container" if arguments.default else f"container '{arguments.container}'"
    cleared = [f"{job} {task}" for job, task, _ in cluster.tasks if (job, task) not in failed]
    if cleared and not arguments.quiet:
        tell(f"tfdsl: {what} is empty now on {', '.join(cleared)}")
    if failed:
        raise TfgError([_silent(arguments.config, job, task, cluster.address(job, task), reason)
                        for (job, task), reason in failed.items()])  # fmt: skip
    return 0


def _silent(path: str, job: str, task: int, address: str, reason: str) -> Diagnostic:
    details = {"path": path, "job": job, "task": task, "address": address, "reason": reason}
    return Diagnostic(SERVER_SILENT, None, details)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds
