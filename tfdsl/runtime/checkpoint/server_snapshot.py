"""Snapshots of a training in the memory of the servers, for a client that restarts while they live.

For each variable, its server stores two copies, and one server stores two descriptions with the record of a checkpoint.
A snapshot first deletes the older description, then copies the variables where they are, then writes the new
description. So at least one copy is always complete, and only the description crosses the network. A killed client may
leave the variables themselves between two steps, so the next client starts from the newer complete copy. It reads the
copy at once: otherwise a server lost before the training continues would take the copy with it.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ...lowering.built import BuiltGraph
from ...lowering.tf import tf, v1

_COPIES = 2


@dataclass(frozen=True, slots=True)
class SnapshotCopy:
    """A snapshot that was read: its record and the values of the variables."""

    about: dict
    values: dict[str, np.ndarray]
    path = "the memory of the servers"


class ServerSnapshot:
    """The snapshots of the variables of one graph."""

    def __init__(self, built: BuiltGraph):
        with built.adding("copies"):
            self._copies = [_Copy(built, number) for number in range(_COPIES)]
        self._number = 0  # of the newest one

    @classmethod
    def of(cls, built: BuiltGraph) -> "ServerSnapshot":
        """The snapshots of a graph. Their nodes are added to it on first use."""
        with built.lock:
            found = built.added.get("copies")
            if not isinstance(found, ServerSnapshot):
                found = built.added["copies"] = cls(built)
            return found

    def put(self, session: v1.Session, about: dict) -> None:
        """Copy the variables."""
        number = self._number + 1
        copy = self._copies[number % _COPIES]
        session.run(copy.put, {copy.given: json.dumps({**about, "number": number})})
        self._number = number  # only now: if the copy fails, the other one stays valid

    def newest(self, session: v1.Session, is_wanted: Callable[[dict], bool]) -> SnapshotCopy | None:
        """The newest complete snapshot that is wanted, given its record, or None."""
        found = [copied for copied in self._found(session) if is_wanted(copied.about)]
        if not found:
            return None
        newest = max(found, key=lambda copied: copied.about["number"])
        self._number = newest.about["number"]
        return newest

    def _found(self, session: v1.Session) -> Iterator[SnapshotCopy]:
        for copy in self._copies:
            try:
                before, values, after = session.run(copy.read)
                about = json.loads(before or b"null")
            except (tf.errors.FailedPreconditionError, tf.errors.NotFoundError, ValueError):
                continue  # never written, or lost with a restarted server
            if before == after and isinstance(about, dict) and isinstance(about.get("number"), int):
                yield SnapshotCopy(about, values)

    def clear(self, session: v1.Session) -> None:
        """Delete both."""
        session.run([copy.forget for copy in self._copies])


class _Copy:
    """The nodes of one copy. A copy is on the server of its variable, the description on that of the first variable."""

    def __init__(self, built: BuiltGraph, number: int):
        variables = built.state_variables()
        first = variables[0].op if variables else None
        self._number = number
        description = self._handle(first, tf.string, tf.TensorShape([]), "about")
        # A name on a server has one type forever, even for other programs.
        pairs = [(v, self._handle(v.op, v.dtype.base_dtype, v.shape, v.op.name)) for v in variables]
        self.given = v1.placeholder(tf.string, [], "about")
        self.forget = _assign(description, tf.constant(""))
        with tf.control_dependencies([self.forget]):
            copied = [_assign(handle, _value(v)) for v, handle in pairs]
        with tf.control_dependencies(copied):
            self.put = _assign(description, tf.identity(self.given))
        before = _read(description, tf.string)
        with tf.control_dependencies([before]):
            values = {v.op.name: _read(handle, v.dtype.base_dtype) for v, handle in pairs}
        with tf.control_dependencies(values.values()):
            self.read = before, values, _read(description, tf.string)

    def _handle(self, beside: tf.Operation | None, dtype: tf.DType, shape: tf.TensorShape, name: str) -> tf.Tensor:
        device = beside.device if beside is not None else None
        container = beside.get_attr("container").decode() if beside is not None else ""
        with tf.device(device):
            return tf.raw_ops.VarHandleOp(
                dtype=dtype, shape=shape, container=container,
                shared_name=f"tfdsl.copy.{self._number}/{dtype.name}/{name}",
            )  # fmt: skip


def _value(variable: tf.Variable) -> tf.Tensor:
    if variable.dtype._is_ref_dtype:
        return tf.identity(variable._ref())
    return _read(variable.handle, variable.dtype.base_dtype)


def _read(handle: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    return tf.raw_ops.ReadVariableOp(resource=handle, dtype=dtype)


def _assign(handle: tf.Tensor, value: tf.Tensor) -> tf.Operation:
    return tf.raw_ops.AssignVariableOp(resource=handle, value=value)
