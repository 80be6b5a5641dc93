"""Ops that call functions of a worker's process: they open rows of data there or give it rows to keep, read some of
them, and let go of them.

The functions are in `runtime/cluster/row_server.py`. `tfdsl server` registers them under fixed names before it starts.
An op that calls a name that is not registered fails when it is executed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .built import BuiltGraph
from .tf import Operand, python_functions, tf, v1

_OPEN, _KEEP, _READ, _CLOSE = "tfdsl.open_rows", "tfdsl.keep_rows", "tfdsl.read_rows", "tfdsl.close_rows"
_NO_ROWS = np.zeros(0, np.uint8)
_kept: list[Callable[..., object]] = []


def register(
    open: Callable[[bytes, bytes, np.ndarray], bytes], keep: Callable[..., bytes],
    read: Callable[[bytes, np.ndarray], list[np.ndarray]], close: Callable[[bytes], bytes],
) -> None:  # fmt: skip
    """Let ops that are executed in this process call these functions."""
    for name, function in ((_OPEN, open), (_KEEP, keep), (_READ, read), (_CLOSE, close)):
        _kept.append(function)
        python_functions()[name] = function


@dataclass(frozen=True)
class RowOps:
    """The ops that open rows on each worker, and let go of them: what they are fed, and what they return."""

    key: Operand
    requests: list[Operand]
    kept: list[Operand]
    answers: list[Operand]
    closed: list[Operand]

    def asking(self, worker: int, request: str = "", kept: np.ndarray = _NO_ROWS) -> dict[Operand, object]:
        """The feeds for a worker that is to open rows, or that has begun to."""
        return {self.requests[worker]: request, self.kept[worker]: kept}


def row_ops(built: BuiltGraph, create: bool = True) -> RowOps | None:
    """The ops of a graph for a cluster. They are added when they are first used."""
    cluster = built.setting.layout.cluster
    assert cluster is not None
    with built.lock:
        if "rows" not in built.added and create:
            with built.adding("rows"):
                key = v1.placeholder(tf.string, [], "key")
                workers = range(len(cluster.jobs["worker"]))
                requests = [v1.placeholder(tf.string, [], "request") for _ in workers]
                kept = [v1.placeholder(tf.uint8, [None], "kept") for _ in workers]
                opened = [call(_OPEN, at, [key, requests[at], kept[at]], [tf.string])[0] for at in workers]
                closed = [call(_CLOSE, at, [key], [tf.string])[0] for at in workers]
                built.added["rows"] = RowOps(key, requests, kept, opened, closed)
        ops = built.added.get("rows")
    assert ops is None or isinstance(ops, RowOps)
    return ops


@dataclass(frozen=True)
class KeepOp:
    """The op that gives the first worker rows to keep, under the key of `RowOps`: its answer, and the arrays."""

    answer: Operand
    arrays: list[Operand]


def keep_op(built: BuiltGraph, arrays: Sequence[np.ndarray]) -> KeepOp:
    """The op for arrays with these dtypes. It is added when it is first used."""
    ops, dtypes = row_ops(built), [tf.as_dtype(array.dtype) for array in arrays]
    assert ops is not None
    name = f"rows of {', '.join(dtype.name for dtype in dtypes)}"
    with built.lock:
        if name not in built.added:
            with built.adding("rows"):
                given = [v1.placeholder(dtype, name="kept") for dtype in dtypes]
                built.added[name] = KeepOp(call(_KEEP, 0, [ops.key, *given], [tf.string])[0], given)
        op = built.added[name]
    assert isinstance(op, KeepOp)
    return op


def read(worker: int, key: tf.Tensor, rows: tf.Tensor, dtypes: Sequence[tf.DType]) -> list[tf.Tensor]:
    """The rows with some numbers of the arrays that a worker has opened under a key."""
    return call(_READ, worker, [key, rows], dtypes)


def call(name: str, worker: int, inputs: list[tf.Tensor], dtypes: Sequence[tf.DType]) -> list[Operand]:
    with tf.device(f"/job:worker/task:{worker}/device:CPU:0"):
        return tf.raw_ops.PyFunc(input=inputs, token=name, Tout=list(dtypes))
