"""Several steps in one execution of the graph, with feeds that a Python caller has given for each of them.

They give the same bits as the steps one by one. If one fails, or its loss is NaN, the variables get back the values
before the first of them, and the caller takes the steps one by one up to the failure.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...lowering.blame import op_of
from ...lowering.cloning import NotCopied, name_of
from ...lowering.failures import plain_reason
from ...lowering.tf import Operand, TensorProto, tf
from ...lowering.train_loop import BodyExecution, LoopArgument, LoopSpec, PerStep, TrainLoop, WholeArgument, build
from ...program import Ref
from ..execution.evaluate import Fetched
from ..execution.execution import Execution
from ..execution.nan import Watch


@dataclass(frozen=True, slots=True)
class StepExecution:
    """What one execution of a step runs and fetches. `training` is fed true, if it is given."""

    operations: tuple[tf.Operation, ...]
    tensors: tuple[tf.Tensor, ...]
    losses: tuple[tf.Tensor, ...]
    training: Ref | None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of what it executes."""
        return tuple(map(name_of, (*self.operations, *self.tensors, *self.losses)))


class FedLoop:
    """Takes several steps at once."""

    def __init__(self, run: Execution, watch: Watch, executions: Sequence[StepExecution]):
        self._run, self._watch, self._executions = run, watch, executions
        self._random: list[str] | None = None
        self._calls: dict[LoopSpec, tuple[TrainLoop, Callable[..., list]]] = {}

    def random(self, fed: Iterable[Ref]) -> list[str]:
        """The random ops that the steps execute with some tensors fed, always the same ones: the loop needs their
        streams. Raises `NotCopied` for an op that cannot be in a loop."""
        if self._random is None:
            built = self._run.built
            names = [name for one in self._executions for name in one.names]
            reached = built.copier.reached(names, frozenset(built.tensor(ref).name for ref in fed))
            self._random = built.copier.random(reached)
        return self._random

    def take(self, feeds: Sequence[Mapping[Ref, np.ndarray]]) -> list[list[Fetched]] | str:
        """The values of the tensors, step by step, or why the steps must be taken one by one. All feeds have the same
        names, dtypes and shapes. Raises `NotCopied` if the steps cannot be in a loop."""
        run, (graph, call) = self._run, self._loop(feeds[0])
        count, streams = len(feeds), run.streams.states()
        given: list[Operand] = [np.stack([one[ref] for one in feeds]) for ref in feeds[0]]
        given += [np.array(True)] if any(one.training is not None for one in self._executions) else []
        before = run.session.run(graph.variables)
        try:
            moved, losses, *values = call(
                0, count, np.arange(count, dtype=np.int32), np.zeros((count, 0), bool), streams, *given
            )
            reason = "a loss is not a number" if self._watch.has_report(losses) else ""
        except (tf.errors.OpError, ValueError, TypeError, RuntimeError) as error:
            reason, moved, values = plain_reason(error), streams, []
        if reason:
            run.built.assign(run.session, zip(graph.variables, before, strict=True))
            run.streams.put(streams)
            return reason
        run.streams.put(moved)
        return [[_value(value[at], packed) for value, packed in zip(values, graph.packed, strict=True)]
                for at in range(count)]  # fmt: skip

    def _loop(self, feed: Mapping[Ref, np.ndarray]) -> tuple[TrainLoop, Callable[..., list]]:
        """The loop for steps with feeds like this one, and the call that executes it. The loop stays in the graph, for
        other sessions too."""
        built, refs = self._run.built, list(feed)
        arguments = [self._argument(ref, array) for ref, array in feed.items()]
        sources = tuple((built.tensor(ref), PerStep(at)) for at, ref in enumerate(refs))
        body: list[BodyExecution] = []
        for one in self._executions:
            mode = () if one.training is None else ((built.tensor(one.training), WholeArgument(len(refs))),)
            body.append(BodyExecution((*sources, *mode), one.tensors, one.operations, one.losses))
        if any(one.training is not None for one in self._executions):
            arguments.append(LoopArgument(tf.bool, ()))
        spec = LoopSpec(
            body=tuple(body), arguments=tuple(arguments), sizes=None, streams=tuple(self._run.streams.streams),
            flags=0, every=True, compiled=False, block=1, events=0, together=1,
        )  # fmt: skip
        if spec not in self._calls:  # TensorFlow optimises the loop for each callable
            loop = build(built, spec)
            fetched = [loop.moved, loop.losses, *loop.gathered]
            self._calls[spec] = loop, self._run.session.make_callable(fetched, loop.fed)
        return self._calls[spec]

    def _argument(self, ref: Ref, array: np.ndarray) -> LoopArgument:
        """The values of a fed tensor at all steps. A size that may vary is not a part of the loop, so that batches of
        other sizes need no loop of their own."""
        shape = self._run.built.tensor(ref).shape
        sizes = array.shape if shape.rank is None else shape.as_list()
        return LoopArgument(tf.as_dtype(array.dtype), (None, *sizes))

    def why(self, error: NotCopied) -> str:
        """Why the steps cannot be in a loop, with the line of the op."""
        node = op_of(self._run.built, error.op, error.function).node
        return str(error) if node is None else f"{error} (line {node.origin.span.line})"


def _value(value: Operand, packed: bool) -> Operand:
    """A gathered value, as an execution of its own gives it."""
    if packed:
        return tf.make_ndarray(TensorProto.FromString(value))[()]
    return value.copy() if isinstance(value, np.ndarray) else value
