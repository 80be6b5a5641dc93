"""`tfdsl reset`: makes all servers of a cluster forget the variables of one container."""

import argparse

from ..diagnostics import CLUSTER_SILENT, Diagnostic, TfgError
from .options import add_cluster_option, cluster_of, seconds
from .report import WrongUse, tell


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Clear the variables of one container on all servers of a cluster. Other containers and their runs are not "
        "affected; a run that uses this container loses its variables."
    )
    add_cluster_option(parser)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--container", metavar="NAME", help='the name in `container "NAME":` in programs')
    which.add_argument("--default", action="store_true", help="the variables outside containers")
    parser.add_argument("--timeout", metavar="SECONDS", type=seconds, default=60.0,
                        help="how long to wait for the servers (default: 60)")  # fmt: skip
    parser.add_argument("-q", "--quiet", action="store_true", help="print only errors")


def command(arguments: argparse.Namespace) -> int:
    cluster = cluster_of(arguments)
    if arguments.container == "":
        raise WrongUse("--container needs a name; the variables that are in no container are cleared by --default")
    from ..runtime.cluster.containers import clear

    failed = clear(cluster, arguments.container, arguments.timeout)
    what = "the default container" if arguments.default else f"container '{arguments.container}'"

    def silent(one: tuple[tuple[str, int], str]) -> Diagnostic:
        (job, task), reason = one
        details = {"task": f"{job} {task}", "address": cluster.address(job, task), "reason": reason, "job": job,
                   "number": task, "seconds": arguments.timeout}  # fmt: skip
        return Diagnostic(CLUSTER_SILENT, None, details)

    cleared = [f"{job} {task}" for job, task, _ in cluster.tasks if (job, task) not in failed]
    if cleared and not arguments.quiet:
        tell(f"tfdsl: {what} is empty now on {', '.join(cleared)}")
    if failed:
        raise TfgError(map(silent, failed.items()))
    return 0
