"""A training whose loss turns NaN: from there on there is nothing to learn, so it stops and says where it was."""

import numpy as np

from ..diagnostics import LOSS_NAN, Note, TfgError
from ..lowering.failures import failure
from ..lowering.graph import BuiltGraph
from ..lowering.tf import v1
from ..program import Ref, Run, Train

# Before the first step no learning rate has had an effect.
_AT_FIRST = (
    "nothing was trained yet: look for NaN in the data, and for log(0), 0 / 0 or the square root of a negative number "
    "between the initial values and the loss"
)


class Watch:
    """The losses that a training looks at: those of the optimizers that its body runs."""

    def __init__(self, built: BuiltGraph, plan: Train):
        self._built, self._plan = built, plan
        self._losses: dict[int, tuple[Ref, ...]] = {}  # of a statement of the body, by its identity

    def losses(self, statement: Run) -> tuple[Ref, ...]:
        """The losses that a statement of the body makes smaller; none where the program does not care."""
        if self._plan.on_nan == "ignore":
            return ()
        if id(statement) not in self._losses:
            graph = self._built.program
            nodes = [graph.nodes[number] for number in sorted(graph.reach(statement.refs))]
            found = dict.fromkeys(node.args["loss"] for node in nodes if node.op == "optimize")
            self._losses[id(statement)] = tuple(found)
        return self._losses[id(statement)]

    def lost(self, session: v1.Session) -> str:
        """The name of a variable to be trained that has become NaN, which the loss may not show yet; empty if none
        has, or if the program does not care."""
        if self._plan.on_nan == "ignore" or not any(one.op == "optimize" for one in self._built.program.nodes.values()):
            return ""
        with self._built.graph.as_default():
            trained = [one for one in v1.trainable_variables() if one.dtype.is_floating]
        values = session.run(trained)
        return next((v.op.name for v, value in zip(trained, values, strict=True) if np.isnan(value).any()), "")

    def check(self, losses: tuple[Ref, ...], values: list, step: int, last: str) -> None:
        """An error where a loss is NaN at a step; `last` says what is kept of the steps before, if anything is."""
        for loss, value in zip(losses, values, strict=True):
            if np.isnan(value).any():
                raise self._error(loss, step, last)

    def _error(self, loss: Ref, step: int, last: str) -> TfgError:
        node, training = self._built.program.nodes[loss.node], self._plan.origin.span
        notes = [Note("the training is on line {line}", training), *([Note(last)] if last else [])]
        return failure(LOSS_NAN, node.origin, notes, help="" if step else _AT_FIRST,
                       name=self._built.tensor(loss).op.name, step=step)  # fmt: skip
