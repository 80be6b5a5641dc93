"""A training whose loss turns NaN: from there on there is nothing to learn, so it stops and says where it was."""

from collections.abc import Callable, Iterable
from functools import cached_property

import numpy as np

from ..diagnostics import LOSS_NAN, Note, TfgError
from ..lowering.failures import failure
from ..lowering.graph import BuiltGraph
from ..lowering.tf import tf
from ..program import Node, Ref, Run, Train

# Before the first step no learning rate has had an effect.
_AT_FIRST = (
    "nothing was trained yet: look for NaN in the data, and for log(0), 0 / 0 or the square root of a negative number "
    "between the initial values and the loss"
)
# The loss was a number, but not the step that it led to.
_AT_LAST = (
    "the step before was too large, or a gradient is no number, as that of sqrt(x) at 0 is: take a smaller "
    'learning_rate, or sqrt(x + 1e-8); to keep it all the same: train ... with on_nan="ignore"'
)


class Watch:
    """The losses that a training looks at: those of the optimizers that its body runs."""

    def __init__(self, built: BuiltGraph, plan: Train):
        self._built, self._plan = built, plan
        self._losses: dict[int, tuple[Ref, ...]] = {}  # of a statement of the body, by its identity

    @property
    def cares(self) -> bool:
        """Whether what becomes NaN is an error."""
        return self._plan.on_nan != "ignore"

    def losses(self, statement: Run) -> tuple[Ref, ...]:
        """The losses that a statement of the body makes smaller; none where the program does not care."""
        if not self.cares:
            return ()
        if id(statement) not in self._losses:
            graph = self._built.program
            nodes = [graph.nodes[number] for number in sorted(graph.reach(statement.refs))]
            found = dict.fromkeys(node.args["loss"] for node in nodes if node.op == "optimize")
            self._losses[id(statement)] = tuple(found)
        return self._losses[id(statement)]

    def check(self, losses: tuple[Ref, ...], values: list, step: int, last: str) -> None:
        """An error where a loss is NaN at a step; `last` says what is kept of the steps before, if anything is."""
        for loss, value in zip(losses, values, strict=True):
            if np.isnan(value).any():
                raise self._error(loss, step, last)

    def _error(self, loss: Ref, step: int, last: str) -> TfgError:
        node, training = self._built.program.nodes[loss.node], self._plan.origin.span
        notes = [Note("the training is on line {line}", training), *([Note(last)] if last else [])]
        what = f"the loss {self._built.tensor(loss).op.name}"
        return failure(LOSS_NAN, node.origin, notes, help="" if step else _AT_FIRST, what=what,
                       when=f"at step {step}", result="the training stops", step=step)  # fmt: skip


class Health:
    """Which of the variables that trainings change have become NaN in a session, which the loss may not show yet.

    Those are what the losses of the graph's optimizers are made of, and what the optimizers keep. What was NaN before
    the first step, or is what the program has set, restored or initialised since the last one, is as it is meant to be.
    """

    def __init__(self, built: BuiltGraph, values: Callable[[dict[str, tf.Variable]], dict[str, np.ndarray]]):
        self._built, self._values = built, values
        self._before: set[str] | None = None  # what was NaN before the first step; None as long as nobody cares

    @cached_property
    def _optimizers(self) -> list[Node]:
        return self._built.program.of("optimize")

    @cached_property
    def _variables(self) -> dict[str, tf.Variable]:
        graph, built = self._built.program, self._built
        of_program = {id(built.value(Ref(node.id))): node.id for node in graph.of("variable", "shared")}
        reached = graph.reach([Ref(node.id) for node in self._optimizers])
        return {
            variable.op.name: variable
            for variable in built.variables()
            if (variable.dtype.is_floating or variable.dtype.is_complex)
            and of_program.get(id(variable), -1) in (reached | {-1})
        }

    def begin(self) -> None:
        """From here on, what becomes NaN is lost."""
        if self._before is None and self._optimizers:
            self._before = self._are_nan(self._variables)

    def takes_step(self, refs: Iterable[Ref]) -> bool:
        """Whether an optimizer takes a step where these are computed."""
        reached = self._built.program.reach(refs) if self._optimizers else ()
        return any(node.id in reached for node in self._optimizers)

    def forget(self) -> None:
        """What the variables are now is meant."""
        self._before = None

    def lost(self, among: Iterable[str] | None = None) -> str:
        """The name of a variable, of all or of some, that has become NaN; empty if none has."""
        if self._before is None:
            return ""
        names = self._variables if among is None else set(among)
        wanted = {n: v for n, v in self._variables.items() if n in names and n not in self._before}
        return next(iter(sorted(self._are_nan(wanted))), "")

    def check(self, when: str, result: str, notes: Iterable[Note], among: Iterable[str] | None = None) -> None:
        """An error, at the line of its loss, where a variable has become NaN."""
        name = self.lost(among)
        if name:
            graph = self._built.program
            variable = self._built.node_of(name)
            trains = [one for one in self._optimizers if variable and variable.id in graph.reach([Ref(one.id)])]
            loss = graph.nodes[(trains or self._optimizers)[0].args["loss"].node]
            raise failure(LOSS_NAN, loss.origin, notes, help=_AT_LAST, what=f"the variable {name}", when=when,
                          result=result)  # fmt: skip

    def _are_nan(self, variables: dict[str, tf.Variable]) -> set[str]:
        return {name for name, value in self._values(variables).items() if np.isnan(value).any()}
