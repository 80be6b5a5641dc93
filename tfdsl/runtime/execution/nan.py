"""Stops a training when a loss or a variable becomes NaN, and reports where. An infinite loss is only a warning."""

import math
from collections.abc import Callable, Iterable
from functools import cached_property

import numpy as np

from ...diagnostics import LOSS_INFINITE, LOSS_NAN, Diagnostic, Note, TfgError
from ...lowering.built import BuiltGraph
from ...lowering.failures import failure
from ...lowering.tf import tf
from ...program import Graph, Node, Origin, Ref, Train, minimized, written

# Before the first step, the learning rate does not matter.
_AT_FIRST = (
    "it was NaN before the first step: look for NaN in the data, and for log(0), 0 / 0 or the square root of a "
    "negative number between the initial values and the loss"
)
# The loss was a number, but the step made it NaN.
_AT_LAST = (
    "the step before was too large, or a gradient is NaN, like that of sqrt(x) at 0: use a smaller "
    'learning_rate, or sqrt(x + 1e-8); to allow NaN: train ... with on_nan="ignore"'
)
_WRITERS = 3  # maximum number of named lines that write a variable
# A variable that no optimizer trains.
_WRITTEN = (
    "it was assigned NaN: look for log(0), 0 / 0, the square root of a negative number or a "
    'step that is too large; to allow NaN: train ... with on_nan="ignore"'
)


def watched_losses(graph: Graph, training: Train, refs: Iterable[Ref]) -> tuple[Ref, ...]:
    """The losses that an execution minimizes, or none if the program ignores NaN."""
    if not _cares(training):
        return ()
    nodes = [graph.nodes[number] for number in sorted(graph.reach(refs))]
    return tuple(dict.fromkeys(ref for node in nodes if node.is_step for ref in minimized(graph.nodes, node)))


def _cares(training: Train) -> bool:
    return training.on_nan != "ignore"


def _is_finite(value: np.ndarray | np.generic) -> bool:
    """Whether all numbers of a loss are finite. For one number, as most losses are, NumPy takes ten times as long."""
    return math.isfinite(value) if isinstance(value, np.floating) else bool(np.isfinite(value).all())


class Watch:
    """The losses that a training watches: those of the optimizers in its body. `last` returns a note about the last
    checkpoint, if any, and `unscaled` those about the size of what the training feeds."""

    def __init__(
        self, built: BuiltGraph, plan: Train, last: Callable[[], str], unscaled: Callable[[], Iterable[Note]],
        warn: Callable[[Diagnostic], None],
    ):  # fmt: skip
        self._built, self._plan, self._last, self._unscaled, self._warn = built, plan, last, unscaled, warn
        self._was_infinite = False
        self._sum, self._count = 0.0, 0  # of the losses since `mean` was asked for
        self._losses: dict[tuple[Ref, ...], tuple[Ref, ...]] = {}  # by the fetched references

    @property
    def cares(self) -> bool:
        """Whether NaN is an error."""
        return _cares(self._plan)

    def notes(self) -> list[Note]:
        """Notes about the training, when its steps may have been too large, and about the last checkpoint."""
        return [*self._where(), *self._unscaled(), *self._kept()]

    def _where(self) -> list[Note]:
        """The place of the training. That of a Python caller has no line in the program."""
        place = self._plan.origin.span
        return [Note("the training is on line {line}", place)] if place.source.text else []

    def _kept(self) -> list[Note]:
        last = self._last()
        return [Note(last)] if last else []

    def losses(self, refs: Iterable[Ref]) -> tuple[Ref, ...]:
        """The losses that an execution minimizes, or none if the program ignores NaN."""
        refs = tuple(refs)
        if refs not in self._losses:
            self._losses[refs] = watched_losses(self._built.program, self._plan, refs)
        return self._losses[refs]

    def check(self, losses: tuple[Ref, ...], values: list, step: int) -> None:
        """Raise an error if a loss is NaN, and warn when one becomes infinite for the first time."""
        for loss, value in zip(losses, values, strict=True):
            self.add(value, 1)
            if _is_finite(value):
                continue
            if np.isnan(value).any():
                raise self._error(loss, step)
            if not self._was_infinite:
                self._was_infinite = True
                node, what = self._named(loss)
                details, notes = {"what": what, "step": step}, (*self._where(), *(self._unscaled() if step else ()))
                self._warn(Diagnostic(LOSS_INFINITE, node.origin.span, details, notes, chain=node.origin.chain))

    def add(self, losses: np.ndarray, count: int) -> None:
        """Count losses of steps that were taken, or the sum of so many."""
        self._sum += float(losses if isinstance(losses, np.floating) else np.sum(losses))
        self._count += count

    def mean(self) -> float | None:
        """The mean loss of the steps since this was asked before, if the training has only one loss and took steps."""
        total, count = self._sum, self._count
        self._sum, self._count = 0.0, 0
        return (
            total / count if count and len({loss for found in self._losses.values() for loss in found}) == 1 else None
        )

    def has_report(self, total: np.ndarray) -> bool:
        """Whether a sum of losses shows that `check` would report one of them."""
        return bool(np.isnan(total) or (np.isinf(total) and not self._was_infinite))

    def _named(self, loss: Ref) -> tuple[Node, str]:
        name = self._built.tensor(loss).op.name
        return self._built.program.nodes[loss.node], "the loss" if name == "loss" else f"the loss {name}"

    def _error(self, loss: Ref, step: int) -> TfgError:
        node, what = self._named(loss)
        notes = self.notes() if step else [*self._where(), *self._kept()]  # no step was too large yet
        return failure(LOSS_NAN, node.origin, notes, help="" if step else _AT_FIRST, what=what,
                       when=f"at step {step}", result="the training stops", step=step)  # fmt: skip


class Health:
    """Finds variables that a training makes NaN. The loss may not show this, or not yet.

    A variable may be NaN if it was so before the first step, or after the program set, restored or initialised it. If
    something other than a training computes the NaN, saving it is a warning.
    """

    def __init__(
        self, built: BuiltGraph, values: Callable[[dict[str, tf.Variable]], dict[str, np.ndarray]], is_stored: bool
    ):
        """`is_stored` says whether the session saves variables."""
        self._built, self._values, self._is_stored = built, values, is_stored
        self._before: set[str] | None = None  # variables that were NaN before the first step; None while unchecked
        self._given: set[str] | None = None  # variables that were NaN before the program computed a value of one
        self._set: dict[str, Origin] = {}  # the last place that set a variable to a computed value

    @cached_property
    def _optimizers(self) -> list[Node]:
        return self._built.program.steps()

    @cached_property
    def _variables(self) -> dict[str, tf.Variable]:
        variables = self._built.variables()
        return {one.op.name: one for one in variables if one.dtype.is_floating or one.dtype.is_complex}

    def begin(self) -> None:
        """From now on, variables must not become NaN."""
        if self._before is None:
            self._before = self._are_nan(self._variables)

    def computes(self, refs: Iterable[Ref] = (), variable: str = "", origin: Origin | None = None) -> None:
        """Note that nodes, or a `set` of a variable, are about to compute the value of a variable."""
        if not self._is_stored:
            return
        if self._given is None:
            nodes = self._built.program.nodes
            if variable or any(nodes[id].is_write for id in self._built.program.reach(refs)):
                self._given = self._are_nan(self._variables)
        if origin is not None:
            self._set[variable] = origin

    def computed(self, among: Iterable[str]) -> tuple[str, list[Note]] | None:
        """The name of a variable, among some, whose computed value is NaN, and the places that write it."""
        if self._given is None:
            return None
        wanted = {name: variable for name, variable in self._selected(among).items() if name not in self._given}
        name = next(iter(sorted(self._are_nan(wanted))), None)
        if name is None:
            return None
        variable = self._built.node_of(name)
        places = [] if variable is None else [node.origin for node in self._writers(variable)]
        places += [self._set[name]] if name in self._set else []
        return name, [Note("line {line} writes it", place.span) for place in places[-_WRITERS:]]

    def takes_step(self, refs: Iterable[Ref]) -> bool:
        """Whether computing these takes a step of an optimizer."""
        reached = self._built.program.reach(refs) if self._optimizers else ()
        return any(node.id in reached for node in self._optimizers)

    def forget(self) -> None:
        """Allow all variables to be NaN that are so at the next step."""
        self._before = self._given = None

    def allow_nan(self, among: Iterable[str] | None = None, is_computed: bool = False) -> None:
        """Allow some or all variables to be NaN if they are so now. Saving computed ones is still a warning."""
        wanted = self._selected(among)
        if self._before is not None:
            self._before = self._before.difference(wanted) | self._are_nan(wanted)
        if self._given is not None and not is_computed:
            self._given = self._given.difference(wanted) | self._are_nan(wanted)

    def lost(self, among: Iterable[str] | None = None) -> str:
        """The name of a variable, among some or all, that has become NaN, or ""."""
        if self._before is None:
            return ""
        wanted = {name: variable for name, variable in self._selected(among).items() if name not in self._before}
        return next(iter(sorted(self._are_nan(wanted))), "")

    def check(
        self, when: str, result: str, origin: Origin, noted: Callable[[], Iterable[Note]],
        among: Iterable[str] | None = None,
    ) -> None:  # fmt: skip
        """The error for a variable that has become NaN: at the line of the loss that it minimizes, or at its own
        line. `noted` makes its notes."""
        name = self.lost(among)
        if not name:
            return
        notes = list(noted())
        graph, variable = self._built.program, self._built.node_of(name)
        of_loss = [one for one in self._optimizers if variable is None or variable.id in graph.reach([Ref(one.id)])]
        if of_loss:
            losses = minimized(graph.nodes, of_loss[0])
            origin, help = (graph.nodes[losses[0].node] if losses else of_loss[0]).origin, _AT_LAST
        else:
            origin, help = origin if variable is None else variable.origin, _WRITTEN
            writers = [] if variable is None else self._writers(variable)
            notes = [*(Note("line {line} writes it", node.origin.span) for node in writers[:_WRITERS]), *notes]
        raise failure(LOSS_NAN, origin, notes, help=help, what=f"the variable {name}", when=when, result=result)

    def _writers(self, variable: Node) -> list[Node]:
        """The nodes that write a variable, one for each line."""
        nodes = self._built.program.nodes.values()
        found = [one for one in nodes if variable.id in written(self._built.program.nodes, one)]
        return list({node.origin.span: node for node in found}.values())

    def _selected(self, names: Iterable[str] | None) -> dict[str, tf.Variable]:
        wanted = self._variables if names is None else set(names)
        return {name: variable for name, variable in self._variables.items() if name in wanted}

    def _are_nan(self, variables: dict[str, tf.Variable]) -> set[str]:
        return {name for name, value in self._values(variables).items() if np.isnan(value).any()}
