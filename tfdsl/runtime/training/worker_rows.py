"""Rows of batches that the workers of a cluster have, so that the client need not send them with each execution.

Before a training, each worker opens its share of the rows from its own files. It answers with a digest of what it has
made of each file. If that is not the digest of the client's own rows, or a worker cannot read a file, the client sends
the rows once, and the first worker keeps them. So the values are the same to the bit. In each execution the client
sends only the numbers of the rows that the steps need.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...data.shares import Division, Share, digests, divided
from ...lowering.failures import plain_reason
from ...lowering.tf import Operand, tf
from ...lowering.worker_rows import keep_op, row_ops
from ..execution.cluster_session import ClusterSession, called
from ..execution.execution import Execution
from ..result import Interrupted

_KEPT_BYTES = 1 << 28  # maximum bytes of the rows that the first worker keeps

Fields = Sequence[tuple[str, np.ndarray]]  # with what the client would send


@dataclass(frozen=True, slots=True)
class WorkerRows:
    """Open rows. `place` has the place of each row among those of all workers, and `ends` where those of each worker
    end."""

    key: str
    place: np.ndarray
    ends: np.ndarray

    @property
    def workers(self) -> tuple[int, ...]:
        """The workers that have rows."""
        return tuple(np.flatnonzero(np.diff(self.ends, prepend=0)).tolist())

    def asked(self, rows: np.ndarray) -> tuple[list[object], np.ndarray]:
        """What the loop is fed for the steps with these rows: the key, and the row numbers of each worker. Also the
        place of each row in what the workers return."""
        wanted, places = np.unique(self.place[rows], return_inverse=True)
        pieces = np.split(wanted, np.searchsorted(wanted, self.ends[:-1]))
        begins = [0, *self.ends[:-1]]
        numbers = [(pieces[worker] - begins[worker]).astype(np.int32) for worker in self.workers]
        return [self.key, *numbers], places.reshape(rows.shape)


def opened(run: Execution, data: tuple[str, str], fields: Fields, taken: int) -> WorkerRows | None:
    """Let the workers have the rows of a data set, or of a part of it. None if the client has to send them with each
    execution. `taken` is the number of rows that the steps take."""
    if not run.on_cluster or run.options.part is not None or not fields:
        return None
    return _read(run, data, fields) or _kept(run, data, fields, taken)


def _read(run: Execution, data: tuple[str, str], fields: Fields) -> WorkerRows | None:
    """Let each worker open its share of the rows, if the workers have their files."""
    name, part = data
    readable = run.readable(name)
    if readable is None:
        return None
    division = divided(readable, part, _workers(run))
    typed = [(field, tf.as_dtype(array.dtype).name) for field, array in fields]
    requests = [json.dumps({"share": share.description, "fields": typed}) for share in division.shares]
    content = hashlib.sha256(json.dumps(requests).encode())
    for share in division.shares:
        content.update(share.kept.data)
    key = f"{run.id} {content.hexdigest()}"
    reason = _refused(run, key, division, requests, [array for _, array in fields])
    if reason:
        run.note_once(f"the client sends the rows of {name}: {reason}")
        return None
    place = np.empty_like(division.order)
    place[division.order] = np.arange(len(place))
    return WorkerRows(key, place, division.ends)


def _kept(run: Execution, data: tuple[str, str], fields: Fields, taken: int) -> WorkerRows | None:
    """Send the rows to the first worker, if the steps take them more than once and they are not too many to keep."""
    arrays = [array for _, array in fields]
    rows = len(arrays[0])
    if (
        taken < 2 * rows
        or sum(array.nbytes for array in arrays) > _KEPT_BYTES
        or any(a.dtype == object for a in arrays)
    ):
        return None
    key, op, ops = f"{run.id} {data} {[field for field, _ in fields]}", keep_op(run.built, arrays), row_ops(run.built)
    assert ops is not None
    try:
        run.session.run(op.answer, {ops.key: key, **dict(zip(op.arrays, arrays, strict=True))})
    except tf.errors.OpError:  # the servers run another version of tfdsl
        return None
    return WorkerRows(key, np.arange(rows), np.full(_workers(run), rows))


def _workers(run: Execution) -> int:
    """The number of workers."""
    cluster = run.built.setting.layout.cluster
    assert cluster is not None
    return len(cluster.jobs["worker"])


def closed(run: Execution) -> None:
    """Let the workers forget what they have opened for a run."""
    ops = row_ops(run.built, create=False) if isinstance(run.session, ClusterSession) else None
    if ops is not None and not run.session.is_lost:
        run.session.run(ops.closed, {ops.key: run.id})


def _refused(
    run: Execution, key: str, division: Division, requests: list[str], arrays: list[np.ndarray]
) -> str:  # fmt: skip
    """Let the workers open their shares. Returns why that is not possible, or nothing."""
    ops = row_ops(run.built)
    assert ops is not None
    feeds: dict[Operand, object] = {ops.key: key}
    for worker, (request, share) in enumerate(zip(requests, division.shares, strict=True)):
        feeds |= ops.asking(worker, request, share.kept)
    left = [worker for worker in range(len(division.shares)) if len(division.of(worker))]
    own: dict[int, list[str]] = {}
    while left:
        try:
            answers = run.session.run({str(worker): ops.answers[worker] for worker in left}, feeds)
        except tf.errors.OpError as error:
            is_older = "callback" in error.message  # there is no such function
            return "the servers run another version of tfdsl" if is_older else plain_reason(error)
        own = own or {at: digests(division.shares[at], arrays, division.of(at)) for at in left}
        for worker in list(left):
            if answers[str(worker)]:
                reason = _difference(division.shares[worker], own[worker], **json.loads(answers[str(worker)]))
                if reason:
                    return f"{called(('worker', worker))} {reason}"
                left.remove(worker)
            feeds |= ops.asking(worker)  # whether it is ready
        if run.options.interrupted():
            raise Interrupted
    return ""


def _difference(share: Share, own: list[str], digests: list[str] | None = None, reason: str = "") -> str:
    """What is wrong with a worker's rows, from its answer: the digests of its files, or a reason."""
    if digests is None:
        return reason
    files = zip(share.description["paths"], own, digests, strict=True)
    return next((f"has other rows in {path}" for path, mine, its in files if mine != its), "")
