"""The counters and batches of a training."""

import time
from collections.abc import Callable
from typing import assert_never

import numpy as np

from ...data.arrays import is_streamed
from ...data.batches import BatchOrder
from ...program import Checkpoint, Every, Field, Stop, StopAfter, Train, batch_fields, walk
from ..execution.execution import Execution
from ..execution.nan import Watch
from ..execution.unscaled import unscaled
from .batch_stream import BatchStream

_BEFORE_STOP = 0.25  # of the steps that a training with `stop` may take


def expected(plan: Train, steps: int) -> int:
    """The steps that a training takes of at most `steps`, as far as anybody can tell: fewer if it may stop early."""
    may_stop = any(isinstance(one, (Stop, StopAfter)) for one in walk(plan.body))
    return int(steps * _BEFORE_STOP) if may_stop else steps


class TrainingLoop:
    """The counters and the batches of one training.

    A step is one iteration of the body. `epoch` counts passes over the data; without data, each step is one epoch.
    """

    def __init__(self, run: Execution, plan: Train, last: Callable[[], str] = lambda: ""):
        """`last` returns a note about the last checkpoint, if any."""
        self.run, self.plan = run, plan
        self.watch = Watch(run.built, plan, last, lambda: unscaled(run, plan), run.warn)
        self.order: BatchOrder | None = None
        self.per_epoch = 1
        if plan.data is not None:
            name, part = plan.data
            self.part = (name, part)
            rows = self.rows = int(run.context.arrays(Field(name, part, "rows")))
            if plan.size is not None:
                self.order = BatchOrder(plan.order, plan.seed, rows, plan.size)
                self.per_epoch = self.order.steps_per_epoch
        self.total = plan.count * self.per_epoch if plan.unit == "epoch" else plan.count
        self.step = self.started_at = 0
        self._rows: np.ndarray | None = None
        self._batch: dict[str, np.ndarray] = {}
        self._last_time: dict[int, float] = {}
        self.stream: BatchStream | None = None

    def open_stream(self) -> None:
        """Read batches ahead from the current step on, if the data is not in memory."""
        if self.order is None:
            return
        fields = batch_fields(self.plan)
        arrays = {field: self.run.context.arrays(Field(*self.part, field)) for field in fields}
        if any(map(is_streamed, arrays.values())):
            self.stream = BatchStream(arrays, self.order, self.step, self.total)

    @property
    def epoch(self) -> int:
        return self.step // self.per_epoch

    @property
    def batch(self) -> int:
        return self.step % self.per_epoch

    def begin_step(self) -> None:
        self._rows, self._batch = None, {}
        counters = self.run.context.counters
        counters["epoch"], counters["step"] = self.epoch, self.step
        self.run.step = self.step

    def batch_field(self, field: str) -> int | np.ndarray:
        """A field of the current batch: features, target, a column, or rows."""
        if field == "rows":
            return self.rows if self.order is None else self.order.size_at(self.step)
        return self._batch_array(field)

    def _batch_array(self, field: str) -> np.ndarray:
        if field not in self._batch:
            whole = self.run.context.arrays(Field(*self.part, field))
            if self.stream is not None:
                self._batch |= self.stream.batch(self.step)
            elif self.order is None:
                self._batch[field] = whole
            else:
                if self._rows is None:
                    self._rows = self.order.indices(self.step)
                self._batch[field] = whole.take(self._rows, axis=0)
        return self._batch[field]

    def is_due(self, statement: Every | Checkpoint) -> bool:
        """Whether a count, from 0, is a multiple of the statement's, or for `after every` that of those that end with
        the current step."""
        if isinstance(statement, Every) and statement.after:
            return self._has_ended(statement)
        match statement.unit:
            case "epoch":
                return self.batch == 0 and self.epoch % statement.count == 0
            case "batch":
                return self.batch % statement.count == 0
            case "step":
                return self.step % statement.count == 0
            case "second":
                if not self.has_elapsed(statement):
                    return False
                self._last_time[id(statement)] = time.monotonic()
                return True
            case _:
                assert_never(statement.unit)

    def _has_ended(self, statement: Every) -> bool:
        match statement.unit:
            case "epoch":
                is_last = (self.step + 1) % self.per_epoch == 0
                return is_last and (self.step + 1) // self.per_epoch % statement.count == 0
            case "batch":
                return (self.batch + 1) % statement.count == 0
            case "step":
                return (self.step + 1) % statement.count == 0
            case "second":
                raise AssertionError("'after every' does not count seconds")
            case _:
                assert_never(statement.unit)

    def passed(self, statement: StopAfter, since: int) -> int:
        """The epochs, or the batches or steps, that have passed since a step."""
        return self.epoch - since // self.per_epoch if statement.unit == "epoch" else self.step - since

    def has_elapsed(self, statement: Every | Checkpoint) -> bool:
        """Whether the seconds of a statement are over, or it was never executed."""
        last = self._last_time.get(id(statement))
        return last is None or time.monotonic() - last >= statement.count
