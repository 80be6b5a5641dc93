"""Clears containers on the servers of a cluster.

It asks every server directly, by the call that TensorFlow's masters use among themselves (`CleanupAll`).
`Session.reset` makes the same calls, but it also ends every session of its master, waits for its full timeout if a
server is missing, and does not say which one. This module does not need TensorFlow.
"""

import grpc

from ...cluster import Cluster

_CALL = "/tensorflow.WorkerService/CleanupAll"
# Connect to the machines of a cluster without a proxy.
_OPTIONS = [("grpc.enable_http_proxy", 0)]


def clear(cluster: Cluster, container: str | None, seconds: float) -> dict[tuple[str, int], str]:
    """Clear a container, or the default one, on all servers at once. Returns the reason of each server that failed."""
    request = _request(container)
    channels = {(job, task): grpc.insecure_channel(address, _OPTIONS) for job, task, address in cluster.tasks}
    try:
        calls = {
            place: channel.unary_unary(_CALL).future(request, timeout=seconds) for place, channel in channels.items()
        }
        failed = {place: call.exception() for place, call in calls.items()}
    finally:
        for channel in channels.values():
            channel.close()
    return {place: _reason(error, seconds) for place, error in failed.items() if error is not None}


def _request(container: str | None) -> bytes:
    """A `CleanupAllRequest`. Field 1 has the containers; without one, it means the default container."""
    if container is None:
        return b""
    name = container.encode()
    return b"\x0a" + _varint(len(name)) + name


def _varint(number: int) -> bytes:
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def _reason(error: Exception, seconds: float) -> str:
    if not isinstance(error, grpc.RpcError):
        return str(error)
    if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return f"no answer within {seconds:.3g} s"
    return str(error.details()).splitlines()[0].rpartition(": ")[2].lower()
