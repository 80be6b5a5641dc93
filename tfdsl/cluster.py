"""The machines of a cluster: its jobs, and the address of each task.

Input: the value of the key `cluster` in a config file. Output: a valid `Cluster`, or an error that names the
mistake. TensorFlow itself aborts the process for some of these mistakes, and waits forever for others.
"""

import re
from collections.abc import Iterator, Mapping
from typing import cast

from .diagnostics import CLUSTER_ADDRESS, CLUSTER_FORM, CLUSTER_JOB_MISSING, CLUSTER_TWICE, Diagnostic, TfgError
from .record import Frozen

# Parameter servers keep variables, workers compute. Other jobs are for nodes that a program places on them.
REQUIRED = ("ps", "worker")
_JOB = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
TIMEOUT = 60.0  # default time limit of a call to the servers, in seconds
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\Z")
_ADDRESS = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*):(?P<port>[^:\[\]]*)\Z")


class Cluster(Frozen):
    """Addresses `host:port` by job name and task number."""

    jobs: Mapping[str, tuple[str, ...]]

    @property
    def tasks(self) -> Iterator[tuple[str, int, str]]:
        """Every (job, task, address), in the order of the file."""
        for job, addresses in self.jobs.items():
            for task, address in enumerate(addresses):
                yield job, task, address

    def address(self, job: str, task: int) -> str:
        return self.jobs[job][task]


def cluster(value: object, path: str = "the call") -> Cluster:
    """The cluster described by a mapping of jobs to lists of addresses, as in the key `cluster` of a config file.
    Messages call the file `path`. Raises `TfgError` if the mapping is invalid."""
    if not isinstance(value, dict) or not value:
        raise _wrong(path, "'cluster' must be a mapping of jobs to addresses")
    jobs: dict[str, tuple[str, ...]] = {}
    for job, addresses in cast(dict[object, object], value).items():  # isinstance does not know the types of the items
        if not isinstance(job, str) or not _JOB.match(job):
            raise _wrong(path, f"a job name has letters, digits and _, and begins with a letter: not '{job}'")
        if not isinstance(addresses, list) or not addresses:
            raise _wrong(path, f"job '{job}' must have a list of addresses, one per task")
        jobs[job] = tuple(cast(list[str], addresses))  # each is checked below
    made = Cluster(jobs)
    seen: dict[tuple[str, int], tuple[str, int]] = {}
    for job, task, address in made.tasks:
        fault, place = _parsed(address)
        if fault:
            details = {"path": path, "job": job, "task": task, "address": address, "reason": fault}
            raise TfgError([Diagnostic(CLUSTER_ADDRESS, None, details)])
        if place in seen:
            first, number = seen[place]
            details = {"path": path, "address": address, "first": f"{first} {number}", "second": f"{job} {task}"}
            raise TfgError([Diagnostic(CLUSTER_TWICE, None, details)])
        seen[place] = job, task
    for job in REQUIRED:
        if job not in made.jobs:
            raise TfgError([Diagnostic(CLUSTER_JOB_MISSING, None, {"path": path, "job": job})])
    return made


def port(address: str) -> int:
    """The port of an address."""
    return int(address.rpartition(":")[2])


def _parsed(address: object) -> tuple[str, tuple[str, int]]:
    """The fault of an address, if any, and the (host, port) that all its spellings mean."""
    match = _ADDRESS.match(address) if isinstance(address, str) else None
    if match is None:
        return "it is not of the form host:port", ("", 0)
    host, port = match["host"].lower(), match["port"]
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 1 <= int(port) <= 65535):
        return "its port is not a number from 1 to 65535", ("", 0)
    is_number = host.startswith("[") or re.fullmatch(r"[0-9.]+", host)
    if is_number:
        import ipaddress

        version = ipaddress.IPv6Address if host.startswith("[") else ipaddress.IPv4Address
        try:
            host = str(version(host.strip("[]")))
        except ValueError:
            return f"its host is not an address of IPv{6 if host.startswith('[') else 4}", ("", 0)
    elif not _HOST.match(host):
        return "its host is not a host name", ("", 0)
    return "", (host, int(port))


def _wrong(path: str, reason: str) -> TfgError:
    return TfgError([Diagnostic(CLUSTER_FORM, None, {"path": path, "reason": reason})])
