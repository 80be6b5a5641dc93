"""A training whose loss turns NaN: from there on there is nothing to learn, so it stops and says where it was. An
infinite loss is only told."""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

import numpy as np

from ...analysis.order import written
from ...diagnostics import LOSS_INFINITE, LOSS_NAN, Diagnostic, Note, TfgError
from ...lowering.failures import failure
from ...lowering.graph import BuiltGraph
from ...lowering.tf import tf
from ...program import Graph, Node, Origin, Ref, Train

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
_WRITERS = 3  # lines that write a variable, named at most
# A variable that no optimizer trains.
_WRITTEN = (
    "a value that is assigned to it is no number: look for log(0), 0 / 0, the square root of a negative number or a "
    'step that is too large; to keep it all the same: train ... with on_nan="ignore"'
)


def watched_losses(graph: Graph, training: Train, refs: Iterable[Ref]) -> tuple[Ref, ...]:
    """The losses that an execution in a training makes smaller; none where the program does not care."""
    if not _cares(training):
        return ()
    nodes = [graph.nodes[number] for number in sorted(graph.reach(refs))]
    return tuple(dict.fromkeys(node.ref("loss") for node in nodes if node.is_step))


def _cares(training: Train) -> bool:
    return training.on_nan != "ignore"


class Watch:
    """The losses that a training watches: those of the optimizers whose steps its body takes. `last` says what is kept
    of the steps before, if anything is."""

    def __init__(self, built: BuiltGraph, plan: Train, last: Callable[[], str], warn: Callable[[Diagnostic], None]):
        self._built, self._plan, self._last, self._warn = built, plan, last, warn
        self._was_infinite = False
        self._losses: dict[tuple[Ref, ...], tuple[Ref, ...]] = {}  # of what is computed

    @property
    def cares(self) -> bool:
        """Whether what becomes NaN is an error."""
        return _cares(self._plan)

    def notes(self) -> list[Note]:
        """Where the training is, and what is kept of it."""
        last = self._last()
        return [Note("the training is on line {line}", self._plan.origin.span), *([Note(last)] if last else [])]

    def losses(self, refs: Iterable[Ref]) -> tuple[Ref, ...]:
        """The losses that an execution makes smaller; none where the program does not care."""
        refs = tuple(refs)
        if refs not in self._losses:
            self._losses[refs] = watched_losses(self._built.program, self._plan, refs)
        return self._losses[refs]

    def check(self, losses: tuple[Ref, ...], values: list, step: int) -> None:
        """An error where a loss is NaN at a step, and a warning where one is infinite for the first time."""
        for loss, value in zip(losses, values, strict=True):
            if np.isnan(value).any():
                raise self._error(loss, step)
            if np.isinf(value).any() and not self._was_infinite:
                self._was_infinite = True
                node, what = self._named(loss)
                details, notes = {"what": what, "step": step}, tuple(self.notes()[:1])
                self._warn(Diagnostic(LOSS_INFINITE, node.origin.span, details, notes, chain=node.origin.chain))

    def is_news(self, total: np.ndarray) -> bool:
        """Whether a sum of losses shows that `check` has something to say of one of them."""
        return bool(np.isnan(total) or (np.isinf(total) and not self._was_infinite))

    def _named(self, loss: Ref) -> tuple[Node, str]:
        name = self._built.tensor(loss).op.name
        return self._built.program.nodes[loss.node], "the loss" if name == "loss" else f"the loss {name}"

    def _error(self, loss: Ref, step: int) -> TfgError:
        node, what = self._named(loss)
        return failure(LOSS_NAN, node.origin, self.notes(), help="" if step else _AT_FIRST, what=what,
                       when=f"at step {step}", result="the training stops", step=step)  # fmt: skip


class Health:
    """Which variables have become NaN in a session by a training, which the loss may not show, or not yet.

    A variable that was NaN before the first step, or when the program set, restored or initialised it, may be NaN.
    """

    def __init__(self, built: BuiltGraph, values: Callable[[dict[str, tf.Variable]], dict[str, np.ndarray]]):
        self._built, self._values = built, values
        self._before: set[str] | None = None  # what was NaN before the first step; None as long as nobody cares

    @cached_property
    def _optimizers(self) -> list[Node]:
        return self._built.program.steps()

    @cached_property
    def _variables(self) -> dict[str, tf.Variable]:
        variables = self._built.variables()
        return {one.op.name: one for one in variables if one.dtype.is_floating or one.dtype.is_complex}

    def begin(self) -> None:
        """From here on, what becomes NaN is lost."""
        if self._before is None:
            self._before = self._are_nan(self._variables)

    def takes_step(self, refs: Iterable[Ref]) -> bool:
        """Whether an optimizer takes a step where these are computed."""
        reached = self._built.program.reach(refs) if self._optimizers else ()
        return any(node.id in reached for node in self._optimizers)

    def forget(self) -> None:
        """Let all variables be NaN that are when the next step begins."""
        self._before = None

    def meant(self, among: Iterable[str] | None = None) -> None:
        """Let variables, all or some, be NaN if they are now."""
        if self._before is not None:
            wanted = self._among(among)
            self._before = self._before.difference(wanted) | self._are_nan(wanted)

    def lost(self, among: Iterable[str] | None = None) -> str:
        """The name of a variable, of all or of some, that has become NaN; empty if none has."""
        if self._before is None:
            return ""
        wanted = {name: variable for name, variable in self._among(among).items() if name not in self._before}
        return next(iter(sorted(self._are_nan(wanted))), "")

    def check(
        self, when: str, result: str, origin: Origin, notes: Sequence[Note], among: Iterable[str] | None = None
    ) -> None:
        """An error where a variable has become NaN: at the line of the loss that it makes smaller, or at its own."""
        name = self.lost(among)
        if not name:
            return
        graph, variable = self._built.program, self._built.node_of(name)
        of_loss = [one for one in self._optimizers if variable is None or variable.id in graph.reach([Ref(one.id)])]
        if of_loss:
            origin, help = graph.nodes[of_loss[0].ref("loss").node].origin, _AT_LAST
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

    def _among(self, names: Iterable[str] | None) -> dict[str, tf.Variable]:
        wanted = self._variables if names is None else set(names)
        return {name: variable for name, variable in self._variables.items() if name in wanted}

    def _are_nan(self, variables: dict[str, tf.Variable]) -> set[str]:
        return {name for name, value in self._values(variables).items() if np.isnan(value).any()}
