"""Places the nodes of a graph: in how many towers a step is computed, and on which servers of a cluster.

A tower is a copy of the nodes between a batch and its loss, for a part of the batch. On a cluster each worker has one.
The variables are on the parameter servers, or shared out between the workers. Everything else is on the first worker.
Nodes that the program places itself stay there.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import numpy as np

from ..cluster import Cluster
from ..program import Ref
from .tf import tf

SEED_DISTANCE = 1_000_003  # between the seeds of one random op in two towers, or on two workers
# Ops that may use a variable on another server. All others run where it is.
_CALLS = ("If", "StatelessIf", "While", "StatelessWhile", "Case", "PartitionedCall", "StatefulPartitionedCall")


@dataclass(frozen=True)
class Layout:
    """How a graph is laid out. `placement` shares out the variables: between the parameter servers in turn
    (`round-robin`) or by size (`size`), or between the workers by size (`workers`). `worker` is the only worker to use,
    unless all are used."""

    towers: int = 1
    cluster: Cluster | None = None
    placement: str = "round-robin"
    worker: int | None = None

    @property
    def seed_offset(self) -> int:
        """The distance of the seeds of this graph's random ops from those of the first worker."""
        return SEED_DISTANCE * (self.worker or 0)

    @property
    def home(self) -> str:
        """The default device."""
        return "" if self.cluster is None else f"/job:worker/task:{self.worker or 0}"

    @property
    def keepers(self) -> list[str]:
        """The devices of the servers that keep variables."""
        job = "worker" if self.placement == "workers" else "ps"
        return [f"/job:{job}/task:{task}" for task in range(len(self.cluster.jobs[job]))] if self.cluster else []

    def tower(self, number: int) -> str:
        """The device of a tower."""
        return "" if self.cluster is None else f"/job:worker/task:{number}"


@dataclass(frozen=True)
class Setting:
    """What a graph is built for. With `soft_placement`, nodes that cannot run on their devices run on others. `kept`
    has the nodes whose random state a later run must resume, and `fed` the tensors that sessions feed. `constants`
    reads arrays from files."""

    soft_placement: bool = False
    kept: frozenset[int] = frozenset()
    fed: frozenset[Ref] = frozenset()
    layout: Layout = Layout()
    constants: Callable[[str, str, str, int], np.ndarray] | None = None


PLAIN = Setting()


class Placement:
    """Places the ops of a graph on servers, unless the program does."""

    def __init__(self, layout: Layout, graph: tf.Graph, states: Collection[str]):
        """`states` are the names of the states of random ops, which are on the servers of those ops."""
        self._layout, self._graph, self._states = layout, graph, states
        self._done = 0  # number of placed ops
        self._keepers, self._by_size = layout.keepers, layout.placement != "round-robin"
        self._loads = [0] * len(self._keepers)

    def place(self) -> None:
        """Place the ops that were added since the last call."""
        if self._layout.cluster is None:
            return
        operations = self._graph.get_operations()[self._done :]
        self._done += len(operations)
        handles = [op for op in operations if op.type == "VarHandleOp" and not _job(op.device)]
        free = [op for op in handles if not any(_together(op)) and op.name not in self._states]
        if self._by_size:
            free.sort(key=_size, reverse=True)
        for op in free:
            self._put_on_server(op)
        for op in operations:
            if not _job(op.device):
                op._set_device(_merged(op.device, self._device(op)))

    def _put_on_server(self, handle: tf.Operation) -> None:
        """Place a variable on the next server in turn, or by size on the server with the least to store."""
        number = int(np.argmin(self._loads))
        self._loads[number] += _size(handle) if self._by_size else 1
        handle._set_device(_merged(handle.device, self._keepers[number]))

    def _device(self, op: tf.Operation) -> str:
        for other in _together(op):
            return self._device_of(other)
        if op.type not in _CALLS:
            for tensor in op.inputs:
                if tensor.dtype == tf.resource:
                    return self._device_of(tensor.op.name)
        return self._layout.home

    def _device_of(self, name: str) -> str:
        op = self._graph.get_operation_by_name(name)
        if not _job(op.device):
            op._set_device(_merged(op.device, self._device(op)))
        return op.device


def _together(op: tf.Operation) -> Iterator[str]:
    """The names of the ops that an op is colocated with."""
    for group in op.colocation_groups():
        name = group.decode().removeprefix("loc:@")
        if name != op.name:
            yield name


def _job(device: str) -> str | None:
    return tf.DeviceSpec.from_string(device).job if device else None


def _merged(own: str, server: str) -> str:
    """A device of a server. `own` may say which one."""
    return tf.DeviceSpec.from_string(server).make_merged_spec(tf.DeviceSpec.from_string(own)).to_string()


def _size(handle: tf.Operation) -> int:
    """The size of a variable in bytes."""
    shape = tf.TensorShape(handle.get_attr("shape"))
    return (shape.num_elements() or 1) * tf.as_dtype(handle.get_attr("dtype")).size
