"""When the statements of a training's body are due: the steps at which values are gathered in the graph, and the steps
before which the loop must end because something must happen outside."""

from typing import assert_never

import numpy as np

from ...program import Checkpoint, Every, Run, Statement, names_given, walk
from .loop import TrainingLoop

_SEEN = 60  # how many steps, rounded down to whole epochs, are looked at to see how often a statement is due


class Schedule:
    """A training's body, sorted. `inside` has the statements that can be in the graph, in order; `outside` has the
    rest.

    `blocks` are the `every` statements inside, each before those in its body.
    """

    def __init__(self, loop: TrainingLoop):
        self._loop = loop
        body, part = loop.plan.body, loop.run.options.part
        bound = names_given(body)
        self.inside = tuple(
            s for s in body if s.is_in_graph() and not _needs(s, bound) and (part is None or isinstance(s, Run))
        )
        is_led = part is not None and not part.is_chief  # the chief does the rest
        rest = () if is_led else tuple(s for s in body if s not in self.inside)
        self.after = tuple(s for s in rest if isinstance(s, Every) and s.after)
        self.outside = tuple(s for s in rest if s not in self.after)
        self._timed = [
            s for s in self.outside if isinstance(s, (Every, Checkpoint))
        ]  # all of `outside`, if a loop is possible
        self.blocks: list[Every] = []
        self._outer: list[int] = []  # for each block, the index of the block around it, or -1
        self._collect(self.inside, -1)

    def _collect(self, statements: tuple[Statement, ...], outer: int) -> None:
        for statement in statements:
            if isinstance(statement, Every):
                self.blocks.append(statement)
                self._outer.append(outer)
                self._collect(statement.body, len(self.blocks) - 1)

    @property
    def always_outside(self) -> Statement | None:
        """A statement that ends the loop at more than two of five steps."""
        steps = np.arange(_SEEN // self._loop.per_epoch * self._loop.per_epoch or _SEEN)  # whole epochs
        for statement in (*self.outside, *self.after):
            if not isinstance(statement, (Every, Checkpoint)):
                return statement
            if statement.unit != "second" and self._due(statement, steps).mean() > 0.4:
                return statement
        return None

    def flags(self, first: int, last: int) -> np.ndarray:
        """The blocks that are due at the steps from `first` up to but not including `last`: bool [steps, blocks]."""
        steps = np.arange(first, last)
        result = np.empty((len(steps), len(self.blocks)), bool)
        for at, (block, outer) in enumerate(zip(self.blocks, self._outer, strict=True)):
            result[:, at] = self._due(block, steps)
            if outer >= 0:
                result[:, at] &= result[:, outer]
        return result

    def _due(self, statement: Every | Checkpoint, steps: np.ndarray) -> np.ndarray:
        per_epoch = self._loop.per_epoch
        if statement in self.after:
            steps = steps + 1  # those that have ended
        match statement.unit:
            case "epoch":
                return steps % (statement.count * per_epoch) == 0
            case "batch":
                return _batches(steps, per_epoch, statement in self.after) % statement.count == 0
            case "step":
                return steps % statement.count == 0
            case "second":
                raise AssertionError("the steps at which it is due are not known in advance")
            case _:
                assert_never(statement.unit)

    def next_outside(self, step: int, is_saved: bool = False) -> int:
        """The first step, from `step` on, at which something outside is due, or the end of the training. A checkpoint
        already saved at `step` is not due there."""
        loop = self._loop
        nearest = loop.total
        for statement in self._timed:
            from_step = step
            if isinstance(statement, Checkpoint):
                from_step = max(step + is_saved, loop.started_at + 1)
            nearest = min(nearest, self._next(statement, from_step))
        return nearest

    def next_after(self, step: int) -> int:
        """The number of steps that have ended, more than `step`, when something is due after a step, or the end of the
        training."""
        return min((self._next_ended(one, step + 1) for one in self.after), default=self._loop.total)

    def is_after(self, step: int) -> bool:
        """Whether something is due after the step before this one."""
        return self.next_after(step - 1) == step and bool(self.after)

    def _next_ended(self, statement: Every, step: int) -> int:
        loop, count = self._loop, int(statement.count)
        match statement.unit:
            case "epoch":
                return _multiple(step, count * loop.per_epoch)
            case "step":
                return _multiple(step, count)
            case "batch":
                start = (step - 1) // loop.per_epoch * loop.per_epoch
                ended = _multiple(step - start, count)
                within = ended if ended <= loop.per_epoch else loop.per_epoch + count
                return start + within if count <= loop.per_epoch else loop.total + 1
            case "second":
                raise AssertionError("'after every' does not count seconds")
            case _:
                assert_never(statement.unit)

    def _next(self, statement: Every | Checkpoint, step: int) -> int:
        loop, count = self._loop, statement.count
        match statement.unit:
            case "epoch":
                return _multiple(step, count * loop.per_epoch)
            case "batch":
                start = step - step % loop.per_epoch
                batch = _multiple(step - start, count)
                return start + min(batch, loop.per_epoch)
            case "step":
                return _multiple(step, count)
            case "second":
                return step if loop.has_elapsed(statement) else loop.total
            case _:
                assert_never(statement.unit)


def _needs(statement: Statement, names: frozenset[str]) -> bool:
    """Whether a statement, or one in its body, needs the value of one of some names of the session."""
    return any(name in names for one in walk((statement,)) for name in one.uses().session_names)


def _batches(steps: np.ndarray, per_epoch: int, have_ended: bool) -> np.ndarray:
    """The numbers of batches in their epochs."""
    return (steps - 1) % per_epoch + 1 if have_ended else steps % per_epoch


def _multiple(number: int, of: float) -> int:
    """The first multiple of an integer that is not less than a number."""
    return -(-number // int(of)) * int(of)
