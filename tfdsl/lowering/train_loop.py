"""Builds many steps of a training as one op: a `tf.while_loop` in a TensorFlow function.

A step is a list of executions. Each is a copy of the part of the graph that one `session.run` would execute. Their
effects happen in the order of the list, because TensorFlow orders the ops of a function that access one variable. Most
steps are plain: they do only what every step does. The other steps, the events, also run other statements or gather
values. So the loop is nested: an event, then the plain steps up to the next event.

    for k in range(events):                  # `events`: positions in the block, one row of flags each
        everything that is due at positions[k], its values gathered in row k
        for step in range(positions[k] + 1, positions[k + 1]):
            what every step does

An iteration of a loop costs TensorFlow as much as thirty small ops, and a nested loop as much as a hundred. So an
iteration of the inner loop takes several steps while enough are left. If most events have the same distance and the
same flags, as in `every 10 batches: log`, an iteration is such an event with all steps up to the next, unrolled:

    for k in range(events):
        while regular[k]:
            what is due at such an event; then the plain steps after it; k += 1
        ...                                  # as above, for an irregular event or the last one

Steps are counted from the start of a block, whose batches are rows of the data. With `compiled`, XLA compiles the
function. Then all shapes are known, except those of a short last batch, and the batches are arguments of their own: XLA
takes a step's part of an array in a third of the time in which it gathers the rows. Batches in order are slices of the
data themselves. Elements are gathered, because XLA compiles a `tf.slice` again for each position.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import assert_never

from ..program import Index
from ..record import Record
from .built import BuiltGraph
from .cloning import NotCopied
from .tf import Operand, tf, v1, xla_dynamic_slice
from .worker_rows import read

# What a step takes from the step before: the states of the streams, and the sum of all watched losses. The sum stays
# NaN once a loss is NaN, or once an op fails without XLA reporting it.
Carried = tuple[tf.Tensor, tf.Tensor]
Gathered = tuple[tf.DType, tf.TensorShape, bool]  # of the values of a tensor; true for serialized ones
Due = Operand  # the flags of an event: a tensor, or a tuple of bools that are known; None in a plain step
Chosen = tf.Tensor | int | None  # rows of the batch of a step, or their number if XLA compiles the loop
Values = list[tf.Tensor | None]  # to be gathered; None if known not to be due

_ITERATION_OPS = 320  # ops that one iteration of the loop executes, at most,
_ITERATION_STEPS = 8  # and steps, at most
_REGULAR_OPS = 1600  # ops of a regular event and the steps up to the next, at most
_ITERATIONS_PER_OP = 16  # the iterations of a loop in the time that one more op in it takes to build and optimise
_ITERATIONS_PER_EVENT = 3  # and in the time of one iteration that contains a loop


class Regular(Record):
    """What most events have in common: the number of steps up to the next event, the set flags, and the number of
    events that one iteration of the loop executes."""

    gap: int
    flags: tuple[bool, ...]
    together: int


def regular_events(gap: int, flags: tuple[bool, ...], ops: int, steps: int) -> Regular | None:
    """Regular events, or None if it is not worth unrolling them in a training of `steps` steps. `ops` is the number of
    ops of a plain step."""
    worth = _ITERATIONS_PER_EVENT * (steps // gap) // _ITERATIONS_PER_OP
    together = max(1, iteration_steps(ops, steps) // gap)
    return Regular(gap, flags, together) if gap * ops <= min(_REGULAR_OPS, worth) else None


def iteration_steps(ops: int, steps: int) -> int:
    """The number of plain steps that one iteration of a loop takes, given the ops of a step and the steps of the
    training."""
    return max(1, min(_ITERATION_STEPS, min(_ITERATION_OPS, steps // _ITERATIONS_PER_OP) // max(1, ops)))


def copied_steps(spec: "LoopSpec") -> int:
    """The number of steps that are written out in a loop."""
    events = 0 if spec.regular is None else spec.regular.together * spec.regular.gap
    return events + (not spec.every) * (spec.together + (spec.together > 1)) + (spec.every or spec.flags > 0)


class WholeArgument(Record):
    """The feed is the whole argument with this number."""

    argument: int


class BatchRows(Record):
    """The feed is the batch's rows of an argument, or a part of them. A loop that XLA compiles has the batches of all
    steps as the argument, unless they are slices."""

    argument: int
    index: tuple[Index, ...] = ()


class PerStep(Record):
    """The feed is the element of an argument for the step."""

    argument: int


Source = WholeArgument | BatchRows | PerStep


@dataclass(frozen=True)
class BodyExecution:
    """What one `session.run` executes: the feeds, the fetched tensors, the operations, and the watched losses."""

    feeds: tuple[tuple[tf.Tensor, Source], ...]
    tensors: tuple[tf.Tensor, ...] = ()
    operations: tuple[tf.Operation, ...] = ()
    losses: tuple[tf.Tensor, ...] = ()


@dataclass(frozen=True)
class When:
    """What to execute at the events with this flag."""

    flag: int
    body: tuple["BodyExecution | When", ...]


Body = tuple[BodyExecution | When, ...]


@dataclass(frozen=True)
class LoopArgument:
    """An array argument of the loop: its dtype and shape, with None for unknown sizes."""

    dtype: tf.DType
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class LoopSpec:
    """The description of a loop. `sizes` are those of a full and of the last batch of an epoch, or None without
    batches. `block` is the number of steps of a block and `events` the maximum number of events of a call, if they must
    be known, and `together` the number of plain steps of an iteration. `regular` describes most events, if they are
    alike. `stride` is the distance between executed steps. `slices` is the number of batches of an epoch if XLA
    compiles the loop and the batches are slices of the arguments, in order; blocks then begin with an epoch. The
    `readers` are workers that read the rows of the arguments with the numbers in `read`."""

    body: Body
    arguments: tuple[LoopArgument, ...]
    sizes: tuple[int, int] | None
    streams: tuple[str, ...]
    flags: int
    every: bool  # every step is an event
    compiled: bool
    block: int
    events: int
    together: int
    regular: Regular | None = None
    stride: int = 1
    slices: int | None = None
    readers: tuple[int, ...] = ()
    read: tuple[int, ...] = ()

    def row_shape(self, argument: int) -> tuple[int | None, ...]:
        """The shape of a row of an argument with rows of batches."""
        return self.arguments[argument].shape[2 if self.compiled and self.slices is None else 1 :]


def executions(body: Body) -> Iterator[BodyExecution]:
    for item in body:
        if isinstance(item, When):
            yield from executions(item.body)
        else:
            yield item


@dataclass(slots=True)
class TrainLoop:
    """A loop in a graph: the placeholders of one call, and its results.

    `rows_of` has the placeholders for what workers read: the key of their rows, and the row numbers of each worker.
    `gathered` has a tensor [events, ...] for each tensor of each execution, in order. Those in `packed` are serialized,
    because their shapes vary.
    """

    first: tf.Tensor
    last: tf.Tensor
    rows: tf.Tensor | None
    counts: tf.Tensor | None  # number of rows of each step, if it varies
    positions: tf.Tensor
    flags: tf.Tensor
    regular: tf.Tensor | None  # at which events a full iteration of regular events begins
    arguments: list[tf.Tensor]
    streams: tf.Tensor
    rows_of: list[tf.Tensor] = field(default_factory=list)
    gathered: list[tf.Tensor] = field(default_factory=list)
    packed: list[bool] = field(default_factory=list)
    moved: tf.Tensor | None = None  # the streams afterwards
    losses: tf.Tensor | None = None  # their sum
    variables: list[tf.Variable] = field(default_factory=list)  # the used ones
    reached: list[tf.Tensor] = field(default_factory=list)  # their values afterwards
    has_events: bool = False

    @property
    def batches(self) -> list[tf.Tensor]:
        """The tensors that select the rows of the batches."""
        return [one for one in (self.rows, self.counts) if one is not None]

    def given(self, arguments: list[tf.Tensor]) -> list[tf.Tensor]:
        """The tensors of one call, in order."""
        events = [self.positions, self.flags, *([] if self.regular is None else [self.regular])]
        return [self.first, self.last, *events, self.streams, *arguments, *self.batches]

    @property
    def fed(self) -> list[tf.Tensor]:
        """The placeholders of one call, in order."""
        arguments = [tensor for tensor in self.arguments if tensor.op.type == "Placeholder"]
        return self.given([*self.rows_of, *arguments])


def build(built: BuiltGraph, spec: LoopSpec) -> TrainLoop:
    """The loop with this description, which is added to the graph once. Raises `NotCopied` if a part of it cannot be in
    a loop."""
    with built.lock:
        if spec not in built.loops:
            with built.adding("train_loop"):
                built.loops[spec] = _LoopBuilder(built, spec).build()
        return built.loops[spec]


class _LoopBuilder:
    # The arguments inside the loop. `rows` has the rows of the batch of each step, if there are batches, and `counts`
    # their number, if it varies.
    arguments: list[tf.Tensor]
    rows: tf.Tensor
    counts: tf.Tensor | None = None

    def __init__(self, built: BuiltGraph, spec: LoopSpec):
        self.built, self.copier, self.spec = built, built.copier, spec
        self.plain: Body = tuple(item for item in spec.body if isinstance(item, BodyExecution))
        wanted = [(e, tensor) for e in executions(spec.body) for tensor in e.tensors]
        self.types = [self._type(*one) for one in wanted]

    # --- what is gathered -----------------------------------------------------------------

    def _type(self, execution: BodyExecution, tensor: tf.Tensor) -> tuple[tf.DType, tf.TensorShape, bool]:
        """dtype, shape and whether it is packed, for a gathered tensor."""
        shapes = [tensor.shape]
        if not tensor.shape.is_fully_defined():
            shapes = [self._shape(execution, tensor, size) for size in sorted(set(self.spec.sizes or (0,)))]
        dtype = tensor.dtype.base_dtype
        if self.spec.compiled and dtype == tf.string:
            raise NotCopied("XLA does not support strings", tensor.op.name)
        are_known = all(shape.is_fully_defined() for shape in shapes)
        if are_known and all(shape == shapes[0] for shape in shapes):
            return dtype, shapes[0], False
        if self.spec.compiled:
            why = "not the same at all steps" if are_known else "known only when the step runs"
            raise NotCopied(f"the shape of a fetched value is {why}", tensor.op.name)
        return tf.string, tf.TensorShape([]), True

    def _shape(self, execution: BodyExecution, tensor: tf.Tensor, size: int) -> tf.TensorShape:
        """The shape of a tensor in the loop, at steps with a batch of this size."""
        with tf.Graph().as_default():
            fed = {}
            for one, source in execution.feeds:
                argument = self.spec.arguments[source.argument]
                match source:
                    case WholeArgument():
                        fed[one] = v1.placeholder(argument.dtype, argument.shape)
                    case PerStep():
                        fed[one] = v1.placeholder(argument.dtype, argument.shape[1:])
                    case BatchRows():
                        batch = v1.placeholder(argument.dtype, [size, *self.spec.row_shape(source.argument)])
                        fed[one] = _indexed(batch, source.index)
                    case _:
                        assert_never(source)
            return self.copier.shape(tensor, fed)

    # --- the function ---------------------------------------------------------------------

    def build(self) -> TrainLoop:
        spec = self.spec
        fixed = spec.compiled
        loop = TrainLoop(
            first=v1.placeholder(tf.int32, [], "first"),
            last=v1.placeholder(tf.int32, [], "last"),
            rows=None if spec.sizes is None or fixed else v1.placeholder(tf.int32, [None, spec.sizes[0]], "rows"),
            counts=None if spec.sizes is None or len(set(spec.sizes)) == 1 else v1.placeholder(
                tf.int32, [spec.block if fixed else None, 1], "counts"),
            positions=v1.placeholder(tf.int32, [spec.events if fixed else None], "events"),
            flags=v1.placeholder(tf.bool, [spec.events if fixed else None, spec.flags], "flags"),
            regular=v1.placeholder(tf.bool, [None], "regular") if spec.regular else None,
            arguments=[],
            streams=v1.placeholder(tf.int64, [len(spec.streams), 3], "streams"),
            has_events=spec.every or spec.flags > 0,
        )  # fmt: skip
        loop.packed = [packed for _, _, packed in self.types]
        made = self._read(loop)
        loop.arguments = [
            made[at] if at in made else v1.placeholder(one.dtype, one.shape, "fed")
            for at, one in enumerate(spec.arguments)
        ]

        def steps(
            first: tf.Tensor, last: tf.Tensor, positions: tf.Tensor, flags: tf.Tensor, *rest: tf.Tensor
        ) -> Operand:
            regular, streams, *given = rest if spec.regular else (None, *rest)
            carried = streams, tf.constant(0.0)
            self.arguments, batches = given[: len(spec.arguments)], given[len(spec.arguments) :]
            if loop.rows is not None:
                self.rows = batches[0]
            if loop.counts is not None:
                self.counts = batches[-1]
            if not loop.has_events:
                return self._plain(first, last, carried)
            return self._events(last, positions, flags, regular, carried)

        traced = tf.function(steps, autograph=False, jit_compile=spec.compiled or None)
        given = loop.given(loop.arguments)
        concrete = traced.get_concrete_function(*given)
        results = concrete(*given)
        loop.moved, loop.losses, *loop.gathered = results
        captured = {tensor.op.name for tensor, _ in concrete.graph.captures if tensor.op.type == "VarHandleOp"}
        loop.variables = [one for one in self.built.state_variables() if one.op.name in captured]
        with tf.control_dependencies([loop.moved]):
            loop.reached = [one.read_value() for one in loop.variables]
        return loop

    def _read(self, loop: TrainLoop) -> dict[int, tf.Tensor]:
        """The arguments that workers read, by number: the rows of one worker after those of the other."""
        spec = self.spec
        if not spec.readers:
            return {}
        key, *rows = loop.rows_of = [
            v1.placeholder(tf.string, [], "key"), *(v1.placeholder(tf.int32, [None], "rows_of") for _ in spec.readers)
        ]  # fmt: skip
        dtypes = [spec.arguments[at].dtype for at in spec.read]
        parts = [read(worker, key, numbers, dtypes) for worker, numbers in zip(spec.readers, rows, strict=True)]
        made = {at: tf.concat(part, 0) for at, part in zip(spec.read, zip(*parts, strict=True), strict=True)}
        return {at: tf.ensure_shape(tensor, spec.arguments[at].shape) for at, tensor in made.items()}

    def _plain(self, first: tf.Tensor, last: tf.Tensor, carried: Carried) -> Carried:
        """The plain steps from `first` up to but not including `last`."""

        stride = self.spec.stride

        def loop(steps: int, step: tf.Tensor, carried: Carried) -> Operand:
            def body(step: tf.Tensor, carried: Carried) -> tuple[tf.Tensor, Carried]:
                for at in range(steps):
                    carried = self._step(self.plain, step + at * stride if at else step, carried)[0]
                return step + steps * stride, carried

            ahead = (steps - 1) * stride + 1
            return tf.while_loop(lambda step, _: step <= last - ahead, body, (step, carried))

        step = first
        if self.spec.together > 1:
            step, carried = loop(self.spec.together, step, carried)
        return loop(1, step, carried)[1]

    def _events(
        self, last: tf.Tensor, positions: tf.Tensor, flags: tf.Tensor, regular: tf.Tensor | None, carried: Carried
    ) -> list[tf.Tensor]:
        compiled = self.spec.compiled
        count = self.spec.events if compiled else tf.shape(positions)[0]
        number = tf.reduce_sum(tf.cast(positions < last, tf.int32)) if compiled else count
        gathered = [_Gathered(dtype, shape, count, compiled) for dtype, shape, _ in self.types]

        def event(k: tf.Tensor, due: Due, carried: Carried, held: Sequence[tf.Tensor]) -> Operand:
            step = tf.gather(positions, k)
            carried, values = self._step(self.spec.body, step, carried, due)
            rows = zip(gathered, held, values, strict=True)
            return step, carried, [at if value is None else one.put(at, k, value) for one, at, value in rows]

        def stretch(like: Regular, k: tf.Tensor, carried: Carried, *held: tf.Tensor) -> Operand:
            for _ in range(like.together):
                step, carried, held = event(k, like.flags, carried, held)
                for at in range(1, like.gap):
                    carried = self._step(self.plain, step + at, carried)[0]
                k = k + 1
            return k, carried, *held

        def iteration(k: tf.Tensor, carried: Carried, *held: tf.Tensor) -> Operand:
            rows: Sequence[tf.Tensor] = held
            if self.spec.regular is not None:
                body = partial(stretch, self.spec.regular)
                k, carried, *rows = tf.while_loop(lambda k, *_: tf.gather(regular, k), body, (k, carried, *rows))
            step, carried, rows = event(k, tf.gather(flags, k), carried, rows)
            if not self.spec.every:
                following = tf.gather(positions, tf.minimum(k + 1, count - 1))
                carried = self._plain(step + 1, tf.where(k + 1 < number, following, last), carried)
            return k + 1, carried, *rows

        held = [one.empty() for one in gathered]
        _, carried, *held = tf.while_loop(lambda k, *_: k < number, iteration, (tf.constant(0), carried, *held))
        return [*carried, *(one.rows(where) for one, where in zip(gathered, held, strict=True))]

    # --- one step -------------------------------------------------------------------------

    def _step(self, body: Body, step: tf.Tensor, carried: Carried, due: Due = None) -> tuple[Carried, Values]:
        """One step: its effects, the values for the next step, and the values to gather. `due` has the flags of an
        event. If they are known at build time, statements that are not due have no values."""
        sizes, counts = self.spec.sizes, self.counts
        if sizes is None or counts is None or not self.spec.compiled:
            return self._sized(body, step, carried, due, sizes[0] if sizes else None)
        # XLA needs the number of rows: use a branch for each number.
        results = tf.cond(
            tf.equal(tf.gather(counts, step)[0], sizes[0]),
            lambda: _flat(self._sized(body, step, carried, due, sizes[0])),
            lambda: _flat(self._sized(body, step, carried, due, sizes[1])),
        )
        return _unflat(results)

    def _sized(
        self, body: Body, step: tf.Tensor, carried: Carried, due: Due, size: int | None
    ) -> tuple[Carried, Values]:
        chosen: tf.Tensor | int | None = size
        if size is not None and not self.spec.compiled:
            chosen = tf.gather(self.rows, step)
            if self.counts is not None:
                chosen = tf.slice(chosen, [0], tf.gather(self.counts, step))
        return self._items(body, step, chosen, {}, carried, due, iter(self.types))

    def _items(
        self, body: Body, step: tf.Tensor, chosen: Chosen, feeds: dict[Source, tf.Tensor], carried: Carried,
        due: Due, types: Iterator[Gathered],
    ) -> tuple[Carried, Values]:  # fmt: skip
        values: Values = []
        for item in body:
            if isinstance(item, BodyExecution):
                carried, tensors = self._execute(item, step, chosen, feeds, carried)
                for tensor, (_, _, packed) in zip(tensors, types, strict=False):
                    values.append(tf.io.serialize_tensor(tensor) if packed else tensor)
                continue
            inner = [next(types) for execution in executions(item.body) for _ in execution.tensors]
            if isinstance(due, tuple):
                made = dict(feeds)
                known = due[item.flag] and self._items(item.body, step, chosen, made, carried, due, iter(inner))
                carried, more = known or (carried, [None] * len(inner))
                values += more
                continue

            def then(item: When = item, carried: Carried = carried, inner: list[Gathered] = inner) -> Operand:
                made = dict(feeds)  # tensors of a branch do not exist outside it
                return _flat(self._items(item.body, step, chosen, made, carried, due, iter(inner)))

            def otherwise(carried: Carried = carried, inner: list[Gathered] = inner) -> Operand:
                return _flat((carried, [tf.fill(shape, tf.zeros([], dtype)) for dtype, shape, _ in inner]))

            carried, more = _unflat(tf.cond(due[item.flag], then, otherwise))
            values += more
        return carried, values

    def _execute(
        self, execution: BodyExecution, step: tf.Tensor, chosen: Chosen, feeds: dict[Source, tf.Tensor],
        carried: Carried,
    ) -> tuple[Carried, list[tf.Tensor]]:  # fmt: skip
        streams, losses = carried
        fed = {tensor: self._fed(source, step, chosen, feeds) for tensor, source in execution.feeds}
        states = {name: streams[at] for at, name in enumerate(self.spec.streams)}
        wanted = [*execution.tensors, *execution.losses]
        made = self.copier.copy(wanted, list(execution.operations), fed, states, self.spec.compiled)
        tensors, watched = made.tensors[: len(execution.tensors)], made.tensors[len(execution.tensors) :]
        if made.streams:
            streams = tf.stack([made.streams.get(name, state) for name, state in states.items()])
        with tf.control_dependencies(made.operations):
            for loss in watched:
                losses = losses + tf.cast(loss if loss.shape.rank == 0 else tf.reduce_sum(loss), tf.float32)
            if made.conditions:
                losses = tf.where(tf.reduce_all(tf.stack(made.conditions)), losses, float("nan"))
            return (streams if watched else tf.identity(streams), losses), tensors

    def _fed(self, source: Source, step: tf.Tensor, chosen: Chosen, made: dict[Source, tf.Tensor]) -> tf.Tensor:
        if source not in made:
            argument = self.arguments[source.argument]
            match source:
                case WholeArgument():
                    made[source] = argument
                case PerStep():
                    made[source] = tf.gather(argument, step)
                case BatchRows(index=()):
                    made[source] = self._batch(argument, step, chosen)
                case BatchRows(index=index):
                    whole = self._fed(BatchRows(source.argument), step, chosen, made)
                    made[source] = _indexed(whole, index)
                case _:
                    assert_never(source)
        return made[source]

    def _batch(self, argument: tf.Tensor, step: tf.Tensor, chosen: Chosen) -> tf.Tensor:
        """The rows of a step's batch."""
        spec = self.spec
        if not spec.compiled:
            return tf.gather(argument, chosen)
        if spec.slices is None or spec.sizes is None:
            return tf.gather(argument, step)[:chosen]
        rest = argument.shape.as_list()[1:]
        shape: Operand = [chosen, *rest]
        start = tf.stack([tf.math.floormod(step, spec.slices) * spec.sizes[0], *(0 for _ in rest)])
        return tf.ensure_shape(xla_dynamic_slice(argument, start, tf.constant(shape)), shape)


def _indexed(tensor: tf.Tensor, index: tuple[Index, ...]) -> tf.Tensor:
    if not index:
        return tensor
    return tensor[tuple(slice(*item) if isinstance(item, tuple) else item for item in index)]


class _Gathered:
    """The values of one tensor, a row for each event: a TensorFlow list, or a tensor that XLA updates in place."""

    def __init__(self, dtype: tf.DType, shape: tf.TensorShape, count: Operand, compiled: bool):
        self._dtype, self._count, self._compiled = dtype, count, compiled
        self._shape = [size for size in shape.as_list() if size is not None]  # all are known

    def empty(self) -> tf.Tensor:
        if self._compiled:
            return tf.zeros([self._count, *self._shape], self._dtype)
        shape = tf.constant(self._shape, tf.int32)
        return tf.raw_ops.TensorListReserve(element_shape=shape, num_elements=self._count, element_dtype=self._dtype)

    def put(self, held: tf.Tensor, at: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
        if not self._compiled:
            return tf.raw_ops.TensorListSetItem(input_handle=held, index=at, item=value)
        return tf.tensor_scatter_nd_update(held, at[None, None], value[None])

    def rows(self, held: tf.Tensor) -> tf.Tensor:
        if self._compiled:
            return held
        shape = tf.constant(self._shape, tf.int32)
        return tf.raw_ops.TensorListStack(input_handle=held, element_shape=shape, element_dtype=self._dtype)


def _flat(results: tuple[Carried, list]) -> list:
    return [*results[0], *results[1]]


def _unflat(results: list) -> tuple[Carried, list]:
    return (results[0], results[1]), list(results[2:])
