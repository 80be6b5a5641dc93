"""The feeds of a training loop in the graph: each feed of the program becomes a source of `lowering/train_loop.py`.

A value that is the same at all steps is one argument of the loop. A batch is some rows of an array, which is an
argument too. A value that depends on the counters is computed in advance for the steps of a block.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import assert_never

import numpy as np

from ...data.arrays import aligned, empty
from ...diagnostics import TfgError
from ...lowering.tf import tf
from ...lowering.train_loop import BatchRows, LoopArgument, PerStep, Source, WholeArgument
from ...program import Apply, BatchField, Counter, Feed, Fetch, Field, PlanExpr, SessionValue, Template, Value
from ...types import TensorType
from ..execution import evaluate
from ..execution.evaluate import EvalContext
from ..execution.feeds import check_shapes, convert
from .engine import NotInGraph
from .loop import TrainingLoop


class LoopFeeds:
    """The arguments of a loop: their types, the arrays of the fixed ones, the expressions of the varying ones. If
    `batches` is the number of steps of a block, an argument with rows of batches has the batches of a block."""

    def __init__(self, loop: TrainingLoop, batches: int | None = None):
        self._loop, self._run, self._batches = loop, loop.run, batches
        self._made: dict[tuple[int, int], np.ndarray] = {}  # memory for the batches of two blocks, by argument
        self.types: list[LoopArgument] = []
        self.arrays: list[np.ndarray | None] = []
        self.of_rows: dict[int, str] = {}  # the arguments with rows of batches, and their fields
        self.moving: dict[int, tuple[PlanExpr, TensorType, Feed]] = {}
        self.refused: int | None = None  # the first step whose values cannot be computed in advance
        self._numbers: dict[object, int] = {}
        self._shapes: list[tuple[int, ...]] = []  # by argument: of the part for one step, or of one row
        self._whole = replace(self._run.context, batch=self._whole_field)

    def sources(self, feeds: tuple[Feed, ...]) -> tuple[tuple[tf.Tensor, Source], ...]:
        """The feeds of one statement. Raises `NotInGraph` without a reason if they do not fit; the run will report
        this."""
        made = [(feed, self._source(feed)) for feed in feeds]
        for size in set(self._sizes):
            check = [(feed.text, self._type(feed), self._example(source, size), feed.origin) for feed, source in made]
            try:
                check_shapes(check)
            except TfgError as error:
                raise NotInGraph("", feeds[0].origin) from error
        return tuple((self._run.built.tensor(feed.ref), source) for feed, source in made)

    def array_of(self, number: int) -> np.ndarray:
        """The array of a fixed argument."""
        array = self.arrays[number]
        assert array is not None
        return array

    def block(self, start: int, steps: int) -> dict[int, np.ndarray]:
        """The varying arguments at some steps, each stacked. From the first `refused` step on they are zeros."""
        loop = self._loop
        counters = dict(self._run.context.counters)
        at = start

        def rows(field: str) -> int:
            return loop.order.size_at(at) if loop.order else loop.rows

        context = replace(self._run.context, counters=counters, batch=rows)
        values: dict[int, list] = {number: [] for number in self.moving}
        for at in range(start, start + steps if self.moving else start):
            counters["step"], counters["epoch"] = at, at // loop.per_epoch
            try:
                found = {number: self._moved(number, context) for number in self.moving}
            except TfgError:
                self.refused = at if self.refused is None else min(at, self.refused)
                break
            for number, value in found.items():
                values[number].append(value)
        for number, rows_of in values.items():
            missing = np.zeros(self._shapes[number], self.types[number].dtype.as_numpy_dtype)
            rows_of += [missing] * (steps - len(rows_of))
        return {number: np.stack(rows_of) for number, rows_of in values.items()}

    def taken(self, rows: np.ndarray, turn: int) -> dict[int, np.ndarray]:
        """The batches of a block, by argument, if they are arguments. `rows` is int [steps, size]; a row -1 has any
        values. The memory of the block before the last is used again: `turn` is 0 for every second block, or 1."""
        found: dict[int, np.ndarray] = {}
        for number in self.of_rows if self._batches is not None else ():
            array = self.array_of(number)
            if (number, turn) not in self._made:
                self._made[number, turn] = empty((*rows.shape, *array.shape[1:]), array.dtype)
            found[number] = array.take(rows, 0, self._made[number, turn], "clip")
        return found

    def _moved(self, number: int, context: EvalContext) -> np.ndarray:
        """A varying argument at one step."""
        expr, type, feed = self.moving[number]
        value = evaluate.value_at(feed.origin, expr, {}, context)
        array = convert(value, type, feed.text, feed.origin, self._run.warn)
        check_shapes([(feed.text, TensorType(type.dtype, self._shapes[number]), array, feed.origin)])
        return array

    # --- one feed -------------------------------------------------------------------------

    @property
    def _sizes(self) -> tuple[int, ...]:
        order = self._loop.order
        return (0,) if order is None else (order.size, order.last_size)

    def _type(self, feed: Feed) -> TensorType:
        return self._run.built.program.tensor_type(feed.ref)

    def _source(self, feed: Feed) -> Source:
        moves = set(_moves(feed.value))
        if self._loop.order is None:
            moves -= {"batch", "rows"}
        if not moves:
            array = self._converted(self._whole_value(feed), feed)
            type = LoopArgument(tf.as_dtype(array.dtype), array.shape)
            return WholeArgument(self._argument((feed.value, array.dtype.str), array, type, array.shape))
        if moves <= {"step", "rows"}:
            return PerStep(self._moving(feed))
        if isinstance(feed.value, BatchField):
            array = self._converted(self._whole_array(feed.value.field), feed)
            # On a cluster, only the rows of the next steps are sent.
            rows = None if self._run.on_cluster else len(array)
            first = (rows,) if self._batches is None else (self._batches, self._sizes[0])
            type = LoopArgument(tf.as_dtype(array.dtype), (*first, *array.shape[1:]))
            number = self._argument((feed.value.field, array.dtype.str), array, type, array.shape[1:])
            self.of_rows[number] = feed.value.field
            return BatchRows(number, feed.value.index)
        raise NotInGraph(f"line {feed.origin.span.line} feeds a value computed outside the graph", feed.origin)

    def _whole_value(self, feed: Feed) -> object:
        try:
            return evaluate.value_at(feed.origin, feed.value, {}, self._whole)
        except TfgError as error:
            raise NotInGraph("", feed.origin) from error

    def _whole_field(self, field: str) -> np.ndarray | int:
        return self._loop.rows if field == "rows" else self._whole_array(field)

    def _whole_array(self, field: str) -> np.ndarray:
        return self._run.context.arrays(Field(*self._loop.part, field))

    def _converted(self, value: object, feed: Feed) -> np.ndarray:
        try:
            warn = None if isinstance(feed.value, Value) else self._run.warn
            return aligned(convert(value, self._type(feed), feed.text, feed.origin, warn))
        except (TfgError, TypeError, ValueError, ArithmeticError) as error:
            raise NotInGraph("", feed.origin) from error

    def _argument(self, key: object, array: np.ndarray | None, type: LoopArgument, shape: tuple[int, ...]) -> int:
        if key not in self._numbers:
            self._numbers[key] = len(self.types)
            self.arrays.append(array)
            self.types.append(type)
            self._shapes.append(shape)
        return self._numbers[key]

    def _moving(self, feed: Feed) -> int:
        type, key = self._type(feed), ("moving", feed.value, self._type(feed).dtype.name)
        if key in self._numbers:
            return self._numbers[key]
        counters: dict[str, object] = {"now": "", "step": 0, "epoch": 0}
        context = replace(self._run.context, counters=counters, batch=lambda field: 1)
        try:
            value = evaluate.value_at(feed.origin, feed.value, {}, context)
            example = convert(value, type, feed.text, feed.origin)
        except (TfgError, TypeError, ValueError, ArithmeticError) as error:
            raise NotInGraph("", feed.origin) from error
        argument = LoopArgument(tf.as_dtype(type.dtype.name), (None, *example.shape))
        number = self._argument(key, None, argument, example.shape)
        self.moving[number] = feed.value, type, feed
        return number

    def _example(self, source: Source, size: int) -> np.ndarray:
        """An array with the shape of a source at a step with a batch of this size."""
        one, shape = np.zeros((), self.types[source.argument].dtype.as_numpy_dtype), self._shapes[source.argument]
        if isinstance(source, BatchRows):
            return evaluate.indexed(np.broadcast_to(one, (size, *shape)), source.index)
        return np.broadcast_to(one, shape)


def _moves(expr: PlanExpr) -> Iterator[str]:
    """What an expression depends on that varies between steps: batch, rows (of the batch), step, fetch."""
    match expr:
        case BatchField(field="rows"):
            yield "rows"
        case BatchField():
            yield "batch"
        case Counter(name="now"):
            pass
        case Counter():
            yield "step"
        case Fetch():
            yield "fetch"
        case Apply(args=parts) | Template(parts=parts):
            for part in parts:
                if not isinstance(part, str):
                    yield from _moves(part)
        case Value() | Field() | SessionValue():  # the training gives the name no value; `schedule.py` sees to that
            pass
        case _:
            assert_never(expr)
