"""A task of a cluster: TensorFlow's own server in this process."""

from collections.abc import Callable

from ...cluster import Cluster
from ...lowering.tf import op_determinism, tf, v1
from .row_server import serve


class NotStarted(Exception):
    """TensorFlow cannot start the server."""


# TensorFlow cannot stop a server. Keep a reference as long as this process lives.
_started: list[v1.train.Server] = []


def start(cluster: Cluster, job: str, task: int, tell: Callable[[str], None]) -> None:
    """Start to listen for as long as this process lives. `tell` gets a line for each file that it reads.

    Ops are deterministic for all clients: determinism is a switch of the process in which they run.
    """
    op_determinism.enable(True)
    serve(tell)
    try:
        spec = v1.train.ClusterSpec({job: list(addresses) for job, addresses in cluster.jobs.items()})
        _started.append(v1.train.Server(spec, job, task))
    except tf.errors.OpError as error:
        raise NotStarted(error.message.splitlines()[0]) from None
