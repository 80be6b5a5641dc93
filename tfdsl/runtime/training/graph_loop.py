"""The engines `loop` and `xla`: one execution of the graph takes as many steps as possible.

What a step runs, prints, logs, expects and stops by is in the graph (`lowering/train_loop.py`). Its values are
gathered, and after the execution the statements use them step by step, as if they had just been run. If something must
happen between two steps (`save`, `set`, a checkpoint, `every N seconds`), the execution ends before that step, which
the engine `step` then takes. It also takes over if something fails or a training stops: the variables are restored to
the start of the execution, and the steps are taken again up to that point.

While the graph runs, a separate thread draws the batches of the next steps and writes logs.
"""

import math
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ...diagnostics import TfgError
from ...lowering.blame import op_of
from ...lowering.cloning import NotCopied
from ...lowering.draws import CompiledDraws
from ...lowering.failures import plain_reason
from ...lowering.tf import Operand, TensorProto, tf, v1
from ...lowering.train_loop import (
    Body,
    BodyExecution,
    LoopSpec,
    Regular,
    TrainLoop,
    When,
    build,
    copied_steps,
    iteration_steps,
    regular_events,
)
from ...lowering.xla_flags import xla_flags
from ...program import Every, Field, Log, Node, Ref, Run, Statement, Stop, batch_fields, fetches_of
from ..execution import evaluate
from ..execution.determinism import no_determinism
from ..execution.failures import is_variable_gone, run_failure
from ..execution.journal import Place
from ..statements import replay
from .engine import GraphEngineName, NotInGraph
from .graph_feeds import LoopFeeds
from .loop import expected
from .schedule import Schedule
from .step_engine import StepEngine
from .worker_rows import WorkerRows, opened

_LONG = 0.5  # maximum seconds per execution: the user waits for printed lines, or after Ctrl-C
_BLOCK = 8192  # maximum steps of a block
_LONG_BLOCK = 1 << 16  # of a block without events, whose steps have no values of their own
_BLOCK_BYTES = 1 << 22  # maximum bytes of the row indices of a block
_BATCHES_BYTES = 1 << 24  # maximum bytes of the batches of a block, for XLA, unless it then has fewer than
_FEW = 8  # steps
_GATHERED_BYTES = 1 << 26  # maximum bytes gathered in one execution
# Seconds that a step takes outside the graph, for each feed, and for each random op that draws from a stream; and that
# a loop takes until its first step, and for each op in it (measured with the programs in `models/`).
_OUTSIDE, _PER_FEED, _PER_STREAM = 40e-6, 45e-6, 300e-6
_BUILDING, _BUILDING_PER_OP = 0.08, 0.001
_EVENTS = 2048  # maximum events in one execution compiled by XLA
_OF_TENSORS = ("HistogramSummary", "ImageSummary")  # XLA can only gather their tensors


@dataclass(frozen=True, slots=True)
class _Talk:
    """A statement with gathered values. `flag` is the number of its block, -1 for the body itself. `values` has the
    places of its fetched values."""

    statement: Statement
    flag: int
    values: tuple[tuple[Ref, int], ...]


@dataclass(slots=True)
class _Chunk:
    """The results of one execution: the steps of events, the blocks that are due at each, the gathered values, the
    times."""

    steps: np.ndarray
    flags: np.ndarray
    values: list[np.ndarray]
    times: np.ndarray

    def due(self, talk: _Talk) -> list[int]:
        """The events at which a statement is due."""
        return np.flatnonzero(self.flags[:, talk.flag]).tolist() if talk.flag >= 0 else list(range(len(self.steps)))


def saves(steps: int, feeds: int, ops: int, streams: int = 0) -> bool:
    """Whether a loop of a number of ops takes less time, with that to build it, than `steps` steps outside the graph,
    of which each feeds some tensors and draws from some streams."""
    return steps * (_OUTSIDE + _PER_FEED * feeds + _PER_STREAM * streams) > _BUILDING + _BUILDING_PER_OP * ops


class GraphLoopEngine:
    """Takes the steps of a training in the graph. Raises `NotInGraph` if that is not possible."""

    def __init__(self, steps: StepEngine, name: GraphEngineName, ops: int, random: int = 0):
        """`ops` and `random` are the numbers of all ops of a step, and of those that draw from streams."""
        self._steps, self._loop, self._run, self._ops, self._random = steps, steps.loop, steps.loop.run, ops, random
        self.name: GraphEngineName = name
        self._schedule = Schedule(self._loop)
        always = self._schedule.always_outside
        if always is not None:
            line = always.origin.span.line
            raise NotInGraph(f"line {line} runs outside the graph", always.origin)
        order, per_epoch = self._loop.order, self._loop.per_epoch
        # Whether batches are slices of the data, and not copied from it.
        self._slices = name == "xla" and order is not None and order.order == "ordered" and per_epoch <= _BLOCK
        self._block_size = max(1, min(_BLOCK, self._loop.total, self._steps_in_memory()))
        self._feeds = LoopFeeds(self._loop, self._block_size if name == "xla" and not self._slices else None)
        self._talks: list[_Talk] = []
        self._tags: dict[int, str] = {}  # of scalar summaries, by the places of their values
        self._tensors = 0
        self._body = self._sorted(self._schedule.inside, -1)
        self._losses = sum(len(item.losses) for item in self._body if isinstance(item, BodyExecution))  # of a step
        self._rows = self._opened()
        self._every = any(talk.flag < 0 for talk in self._talks)  # something is gathered at every step
        has_events = self._every or bool(self._schedule.blocks)
        if (self._slices or order is None) and not (has_events or self._feeds.moving):
            self._block_size = max(1, min(_LONG_BLOCK // per_epoch * per_epoch, self._loop.total))
        self._spec = self._description()
        self._graph: TrainLoop | None = None
        self._length = 1 if self._run.on_cluster else 64  # steps of the next execution
        self._is_first, self._has_given_up = True, False
        self._worker = ThreadPoolExecutor(1, "tfdsl-loop")
        self._draws: CompiledDraws | None = None
        if self.name == "xla" and order is not None and order.order == "sampled":
            self._draws = order.draws = CompiledDraws()
        self._blocks: dict[int, Future] = {}
        self._reached: list[np.ndarray] | None = None  # the variables after the last execution, if current
        self._unlogged: list[tuple[_Chunk, tuple[int, int]]] = []
        self._logs: list[Future] = []

    def _steps_in_memory(self) -> int:
        """The maximum number of steps of a block."""
        loop = self._loop
        if loop.order is None:
            return _BLOCK
        if self._slices:
            return _BLOCK // loop.per_epoch * loop.per_epoch
        if self.name == "loop":
            return _BLOCK_BYTES // (4 * loop.order.size)
        fields = [loop.run.context.arrays(Field(*loop.part, field)) for field in batch_fields(loop.plan)]
        bytes_of_row = sum(field.dtype.itemsize * math.prod(field.shape[1:]) for field in fields)
        return max(_FEW, _BATCHES_BYTES // max(1, bytes_of_row * loop.order.size))

    # --- building -------------------------------------------------------------------------------

    def _sorted(self, statements: tuple[Statement, ...], flag: int) -> Body:
        items: list[BodyExecution | When] = []
        for statement in statements:
            if isinstance(statement, Every):
                inner = next(i for i, block in enumerate(self._schedule.blocks) if block is statement)
                items.append(When(inner, self._sorted(statement.body, inner)))
                continue
            feeds = self._feeds.sources(statement.uses().feeds)
            losses = tuple(map(self._run.built.loss_tensor, self._loop.watch.losses(statement.uses().executes)))
            if isinstance(statement, Run):
                operations = tuple(dict.fromkeys(self._run.built.operation(ref) for ref in statement.refs))
                items.append(BodyExecution(feeds, (), operations, losses))
                continue
            fetched = self._fetched(statement)
            values = tuple((ref, self._tensors + at) for at, ref in enumerate(fetched))
            self._talks.append(_Talk(statement, flag, values))
            if isinstance(statement, Log):
                self._tags |= self._scalar_tags(values)
            self._tensors += len(fetched)
            if fetched:
                items.append(BodyExecution(feeds, tuple(fetched.values()), (), losses))
        return tuple(items)

    def _scalar_tags(self, values: tuple[tuple[Ref, int], ...]) -> dict[int, str]:
        built = self._run.built
        return {at: built.tag(ref) for ref, at in values if built.value(ref).op.type == "ScalarSummary"}

    def _fetched(self, statement: Statement) -> dict[Ref, tf.Tensor]:
        """The tensors whose values a statement needs. For a scalar summary, the summarised tensor."""
        built = self._run.built
        if isinstance(statement, Log):
            return {ref: self._logged(built.value(ref).op) for ref in statement.summaries}
        refs = dict.fromkeys(fetches_of(*statement.uses().values))
        return {ref: built.tensor(ref) for ref in refs}

    def _logged(self, op: tf.Operation) -> tf.Tensor:
        by_value = op.type == "ScalarSummary" or (self.name == "xla" and op.type in _OF_TENSORS)
        return op.inputs[1] if by_value else op.outputs[0]

    def _opened(self) -> WorkerRows | None:
        """The rows of batches, if the workers of a cluster have them."""
        loop, fields = self._loop, [(field, self._feeds.array_of(at)) for at, field in self._feeds.of_rows.items()]
        if loop.order is None or not fields:
            return None
        return opened(self._run, loop.part, fields, (loop.total - loop.step) * loop.order.size)

    def _description(self) -> LoopSpec:
        loop, run = self._loop, self._run
        compiled = self.name == "xla"
        return LoopSpec(
            body=self._body, arguments=tuple(self._feeds.types),
            sizes=None if loop.order is None else (loop.order.size, loop.order.last_size),
            streams=tuple(run.streams.streams),
            flags=len(self._schedule.blocks), every=self._every, compiled=compiled,
            block=self._block_size if compiled else 0,
            events=min(_EVENTS, self._events_of_a_block()) if compiled else 0,
            together=1 if compiled else iteration_steps(self._ops, loop.total),
            regular=None if compiled else self._regular(),
            stride=1 if run.options.part is None else run.options.part.of,
            slices=loop.per_epoch if self._slices else None,
            readers=() if self._rows is None else self._rows.workers,
            read=() if self._rows is None else tuple(self._feeds.of_rows),
        )  # fmt: skip

    def pays(self) -> bool:
        """Count the steps of this training, and return whether the loop saves more than building it takes, for all
        counted trainings that could share it."""
        built, total = self._run.built, expected(self._loop.plan, self._loop.total - self._loop.step)
        steps = built.steps_outside[self._spec] = built.steps_outside.get(self._spec, 0) + total
        every_step = [one for one in self._body if isinstance(one, BodyExecution)]
        feeds = len({source for one in every_step for _, source in one.feeds})
        return self._spec in built.loops or saves(steps, feeds, self._ops * copied_steps(self._spec), self._random)

    def build(self) -> None:
        """Build the loop in the graph. Trainings whose loops are alike share one, such as those that a `for` repeats.
        Raises `NotInGraph` if an op cannot be copied into the loop."""
        built = self._run.built
        try:
            graph = self._graph = build(built, self._spec)
        except NotCopied as error:
            node = op_of(built, error.op, error.function).node
            raise NotInGraph(str(error), node.origin if node else self._loop.plan.origin) from error
        # On a cluster, the variables would be sent twice: here, and before the next execution.
        self._variables, reached = graph.variables, [] if self._run.on_cluster else graph.reached
        fetched = [graph.moved, graph.losses, *graph.gathered, *reached]
        self._call = self._run.session.make_callable(fetched, graph.fed)
        self._most_events = self._event_limit(graph)

    def _regular(self) -> Regular | None:
        """What most of the first events have in common."""
        flags = self._schedule.flags(0, min(self._loop.total, 2 * self._block_size))
        events = np.flatnonzero(flags.any(axis=1) | self._every)
        kinds = Counter(zip(np.diff(events).tolist(), map(tuple, flags[events].tolist()), strict=False))
        for (gap, due), count in kinds.most_common(1):
            if 2 * count > len(events):
                return regular_events(gap, due, self._ops, self._loop.total)
        return None

    def _events_of_a_block(self) -> int:
        if self._every:
            return self._block_size
        flags = self._schedule.flags(0, min(self._loop.total, 2 * self._block_size))
        return min(self._block_size, int(flags.any(axis=1).sum()) + 2)

    @property
    def _built_loop(self) -> TrainLoop:
        assert self._graph is not None  # it is built before the first execution
        return self._graph

    def _event_limit(self, graph: TrainLoop) -> int:
        """The maximum number of events of one execution."""
        size = 1
        for tensor in graph.gathered:
            shape = tensor.shape[1:]
            size += (shape.num_elements() if shape.is_fully_defined() else 1024) * max(tensor.dtype.size, 8)
        limit = max(1, _GATHERED_BYTES // size)
        return min(limit, self._spec.events) if self.name == "xla" else limit

    def begin(self) -> None:
        """Prepare for the first step."""

    def compile(self) -> None:
        """Let XLA compile the loop. Raises `NotInGraph` at the line of an op that it cannot compile."""
        if self._loop.step == self._loop.total:
            return
        if self._state() is None:
            self.close()
            raise NotInGraph("a variable has no value yet", self._loop.plan.origin)
        try:
            with xla_flags():
                self._compile()
        except (tf.errors.OpError, ValueError, TypeError, RuntimeError) as error:
            self.close()
            op, reason = _refused(error)
            node = self._made(op)
            raise NotInGraph(reason, node.origin if node else self._loop.plan.origin) from error

    def _compile(self) -> None:
        """Execute the loop without taking steps."""
        step, nothing = self._loop.step, np.zeros(0, np.int64)
        no_flags = np.zeros((0, len(self._schedule.blocks)), bool)
        try:
            self._execute(step, step, nothing, no_flags)
        except tf.errors.UnimplementedError as error:
            devices = {device.device_type for device in self._run.session.list_devices()}
            if "deterministic" not in str(error) or "GPU" in devices:
                raise
            # XLA's code for the CPU is deterministic, but it refuses the gradient of max_pool because of GPUs.
            with no_determinism():
                self._execute(step, step, nothing, no_flags)

    def _made(self, op: str) -> Node | None:
        """The node of a copied op in the loop. The names of copies have additional paths before and numbers after
        them."""
        parts = op.partition("_tfg_inlined_")[0].split("/")  # part of the names of inlined ops
        for start in range(len(parts)):
            name = "/".join(parts[start:])
            node = self._run.built.node_of(name) or self._run.built.node_of(re.sub(r"_\d+$", "", name))
            if node is not None:
                return node
        return None

    # --- taking steps ---------------------------------------------------------------------------

    def advance(self) -> None:
        """Take as many steps as one execution should take, or a single one."""
        loop = self._loop
        end = self._schedule.next_outside(loop.step)
        is_inside = self._steps.is_inside_step
        if end == loop.step and not is_inside:
            self.flush()
            if self._steps.checkpointer is not None:
                self._steps.checkpointer.save_if_due(0)  # after that, the step may be in the graph like all others
            end = self._schedule.next_outside(loop.step, True)
        if end == loop.step or is_inside or self._has_given_up:
            self._step_until(loop.step + 1)
            return
        block_end = (loop.step // self._block_size + 1) * self._block_size
        self._take(loop.step, min(end, loop.step + self._length, block_end, self._schedule.next_after(loop.step)))

    def _give_up(self, first: int, reason: str) -> None:
        """Take the steps from `first` on one by one."""
        self._has_given_up = True
        line = self._loop.plan.origin.span.line
        self._run.options.note(f"line {line} trains step by step from step {first} on: {reason}")

    def _take(self, first: int, last: int) -> None:
        """Take the steps from `first` up to but not including `last`, or fewer if they have too many events."""
        part = self._run.options.part
        if part is not None and part.first(first) >= last:  # other workers take these steps
            self._have_taken(first, last)
            return
        self._block(first - first % self._block_size)
        refused = self._feeds.refused
        if refused is not None and refused < last:
            last = max(first, refused)
            if first == last:
                self._step_until(first + 1)  # reports the failure, unless this step does not need the value
                self._give_up(first, "a fed value cannot be computed in advance")
                return
        flags = self._schedule.flags(first, last)
        is_event = np.logical_or(flags.any(axis=1), self._every)
        is_event[0] = self._built_loop.has_events  # the loop begins with an event
        events = np.flatnonzero(is_event)
        if len(events) > self._most_events:
            last = first + int(events[self._most_events])
            events = events[: self._most_events]
        before = self._state()
        if before is None:  # there is nothing to restore
            self._step_until(first + 1)
            return
        started = time.time()
        try:
            moved, losses, *values = self._execute(first, last, first + events, flags[events])
            values, reached = values[: self._tensors], values[self._tensors :]
        except (tf.errors.OpError, ValueError, TypeError, RuntimeError) as error:
            if is_variable_gone(error):  # another program has cleared it, so it must not be restored
                raise run_failure(self._run.built, error, self._loop.plan.origin, True) from error
            self._restore_state(before)
            self._step_until(last)  # reports the failure; if none occurs, only the loop had failed
            self._give_up(first, plain_reason(error))
            return
        seconds = time.time() - started
        # All steps take about the same time, and reading the clock takes as long as a small op.
        times = started + seconds * events / (last - first)
        chunk = _Chunk(first + events, flags[events], values, times)
        stop = self._stop(chunk)
        if stop is not None:
            self._restore_state(before)
            if stop > first:
                self._take(first, stop)
            self._step_until(self._loop.step + 1)
            return
        if self._loop.watch.has_report(losses):
            self._restore_state(before)
            self._bisect(first, last)
            return
        self._run.streams.put(moved)
        self._loop.watch.add(losses, (last - first) * self._losses)
        self._adapt(last - first, seconds)
        self._replay(chunk)
        self._reached = reached or None
        self._have_taken(first, last)

    def _have_taken(self, first: int, last: int) -> None:
        """Go on to the step `last`, after what is due when the step before it has ended."""
        self._loop.step = last
        self._run.result.steps += last - first
        if self._schedule.is_after(last):
            self.flush()
            self._reached = None
            self._at(last - 1)
            self._steps.end_step()

    def _bisect(self, first: int, last: int) -> None:
        """Take steps of which one seems to have a NaN or infinite loss. Bisect, so that all steps before it are taken,
        and take the step itself alone, which reports the loss."""
        self._loop.step = first
        if last - first == 1:
            self._step_until(last)
            return
        middle = (first + last) // 2
        for end in (middle, last):
            while self._loop.step < end:
                self._take(self._loop.step, end)

    def _execute(self, first: int, last: int, events: np.ndarray, flags: np.ndarray) -> list[np.ndarray]:
        start = first - first % self._block_size
        batches, moving = self._block(start)
        if self._run.on_cluster:  # only what these steps need is sent
            within = slice(first - start, last - start)
            batches = [one[within] for one in batches]
            moving = {at: array[within] for at, array in moving.items()}
            start = first
        positions = (events - start).astype(np.int32)
        if self.name == "xla":  # XLA needs fixed shapes; positions after the end are not events
            missing = self._spec.events - len(positions)
            positions = np.pad(positions, (0, missing), constant_values=last - start)
            flags = np.pad(flags, ((0, missing), (0, 0)))
        given: list[object] = [moving.get(at, array) for at, array in enumerate(self._feeds.arrays)]
        if self._run.on_cluster and self._feeds.of_rows:
            given, batches[0] = self._sent(given, batches[0])
        streams = self._run.streams.states()
        self._begin_logs()
        regular = self._spec.regular
        stretches = [] if regular is None else [_regular_at(regular, positions, flags)]
        part = self._run.options.part
        first = first if part is None else part.first(first)
        return self._call(first - start, last - start, positions, flags, *stretches, streams, *given, *batches)

    def _sent(self, arrays: list[object], batches: np.ndarray) -> tuple[list[object], np.ndarray]:
        """The arguments of a call on a cluster, and the renumbered batches of its steps. The workers read the rows that
        the steps need, or these rows are sent if the data has more."""
        of_rows, rows = self._feeds.of_rows, np.maximum(batches, 0)  # short batches end in -1
        if self._rows is not None:
            asked, places = self._rows.asked(rows)
            arrays = [*asked, *(array for at, array in enumerate(arrays) if at not in of_rows)]
        elif rows.size < self._loop.rows:
            arrays = [
                self._feeds.array_of(at)[rows.ravel()] if at in of_rows else array for at, array in enumerate(arrays)
            ]
            places = np.arange(rows.size).reshape(rows.shape)
        else:
            places = rows
        return arrays, places.astype(batches.dtype)

    def _block(self, start: int) -> tuple[list[np.ndarray], Mapping[int, np.ndarray]]:
        """The batches and the varying arguments of a block. Those of the next block are computed in the background."""
        for at in (start, start + self._block_size):
            if at not in self._blocks and at < self._loop.total:
                self._blocks[at] = self._worker.submit(self._make_block, at)
        for at in [at for at in self._blocks if at < start]:
            del self._blocks[at]
        return self._blocks[start].result()

    def _make_block(self, start: int) -> tuple[list[np.ndarray], Mapping[int, np.ndarray]]:
        order, end = self._loop.order, start + self._block_size
        batches, taken = [], {}
        if order is not None:
            if not self._slices:
                rows = order.block(start, end)
                taken = self._feeds.taken(rows, start // self._block_size % 2)
                if self._built_loop.rows is not None:
                    batches.append(rows)
            if self._built_loop.counts is not None:
                batches.append(order.sizes(start, end)[:, None])
        return batches, {**self._feeds.block(start, self._block_size), **taken}

    def _adapt(self, steps: int, seconds: float) -> None:
        """Choose the length of the next execution. It does not affect the results."""
        if self._is_first:  # this execution also prepared the graph
            self._is_first = False
        elif seconds > _LONG:
            self._length = max(1, int(steps * _LONG / seconds))
        elif seconds < _LONG / 4:
            self._length = max(self._length, 4 * steps)

    # --- restoring ------------------------------------------------------------------------------

    def _state(self) -> tuple[list[np.ndarray], np.ndarray] | None:
        """The current variables and streams, or None if a variable has no value yet."""
        run = self._run
        streams, reached = run.streams.states(), self._reached
        if reached is not None:
            self._reached = None
            return reached, streams
        known = run.known_values(Place(run.at, self._loop.step))
        if known is not None:
            return [known[variable.op.name] for variable in self._variables], streams
        try:
            return run.session.run(self._variables), streams
        except tf.errors.FailedPreconditionError:
            return None

    def _restore_state(self, state: tuple[list[np.ndarray], np.ndarray]) -> None:
        values, streams = state
        self._run.built.assign(self._run.session, zip(self._variables, values, strict=True))
        self._run.streams.put(streams)

    def _step_until(self, end: int) -> None:
        self.flush()
        self._reached = None
        while self._loop.step < end:
            self._steps.advance()

    # --- statements outside the graph -----------------------------------------------------------

    def _stop(self, chunk: _Chunk) -> int | None:
        """The first step at which a `stop when` holds."""
        for k, number in self._due(chunk, lambda statement: isinstance(statement, Stop)):
            talk = self._talks[number]
            self._at(int(chunk.steps[k]))
            assert isinstance(talk.statement, Stop)
            values, origin = self._values(chunk, talk, k), talk.statement.origin
            try:
                condition = self._run.value(talk.statement.condition, values, origin)
            except TfgError:
                return int(chunk.steps[k])  # this step is taken alone, after what the steps before it print
            if evaluate.truth(condition):
                return int(chunk.steps[k])
        return None

    def _replay(self, chunk: _Chunk) -> None:
        end = len(chunk.steps), 0
        try:
            for k, number in self._due(chunk, lambda statement: not isinstance(statement, (Log, Stop))):
                talk = self._talks[number]
                before, end = end, (k, number)
                self._at(int(chunk.steps[k]))
                replay(self._run, talk.statement, self._values(chunk, talk, k))
                end = before
        finally:  # also if an `expect` fails: log what came before it
            if any(isinstance(talk.statement, Log) for talk in self._talks):
                self._unlogged.append((chunk, end))

    def _log(self, chunk: _Chunk, end: tuple[int, int]) -> None:
        """Write what was logged before a statement of an event."""
        steps, times = chunk.steps.tolist(), chunk.times.tolist()
        with np.errstate(over="ignore"):
            scalars = {at: chunk.values[at].astype(np.float32).tolist() for at in self._tags}
        for k, number in self._due(chunk, lambda statement: isinstance(statement, Log)):
            if (k, number) >= end:
                return
            talk = self._talks[number]
            if not self._run.is_unlogged(talk.statement, steps[k]):
                continue
            for ref, at in talk.values:
                if at in self._tags:
                    self._run.add_scalar(self._tags[at], scalars[at][k], steps[k], times[k])
                else:
                    summary = self._summary(self._run.built.value(ref).op, chunk.values[at][k])
                    self._run.add_summary(summary, steps[k], times[k])

    def _summary(self, op: tf.Operation, value: Operand) -> v1.Summary:
        if self.name == "xla":
            feeds: dict[tf.Tensor, object] = {}
            feeds[op.inputs[1]] = value
            value = self._run.session.run(op.outputs[0], feeds)
        return v1.Summary.FromString(value)

    def _due(self, chunk: _Chunk, is_wanted: Callable[[Statement], bool]) -> list[tuple[int, int]]:
        """What to do, in order: events, and indices into `_talks`."""
        wanted = [number for number, talk in enumerate(self._talks) if is_wanted(talk.statement)]
        return sorted((k, number) for number in wanted for k in chunk.due(self._talks[number]))

    def _at(self, step: int) -> None:
        self._loop.step = step
        self._loop.begin_step()

    def _values(self, chunk: _Chunk, talk: _Talk, k: int) -> dict[Ref, object]:
        return {ref: self._value(chunk.values[at][k], self._built_loop.packed[at]) for ref, at in talk.values}

    @staticmethod
    def _value(value: Operand, packed: bool) -> Operand:
        if packed:
            value = tf.make_ndarray(TensorProto.FromString(value))
            return value[()]
        return value.copy() if isinstance(value, np.ndarray) else value

    def _begin_logs(self) -> None:
        """Let the worker thread write what was gathered. It writes while the graph is executed; between executions it
        would block everything else, because Python runs one thread at a time."""
        self._logs += [self._worker.submit(self._log, *one) for one in self._unlogged]
        self._unlogged.clear()

    def flush(self) -> None:
        """Wait until all logs are written, and raise errors from writing them."""
        self._begin_logs()
        while self._logs:
            self._logs.pop(0).result()

    def close(self) -> None:
        try:
            self.flush()
        finally:
            self._worker.shutdown()
            if self._draws is not None and self._loop.order is not None:
                self._loop.order.draws = None
                self._draws.close()
            self._steps.close()


def _regular_at(regular: Regular, positions: np.ndarray, flags: np.ndarray) -> np.ndarray:
    """The events at which the loop can take a full iteration of regular ones."""
    alike = (flags == regular.flags).all(axis=1)
    alike[:-1] &= np.diff(positions) == regular.gap
    alike[-1:] = False
    result = alike.copy()
    for ahead in range(1, regular.together):
        result[:-ahead] &= alike[ahead:]
        result[-ahead:] = False
    return result


_NODE = re.compile(r"\{\{node ([^}]+)\}\}")
_UNSUPPORTED = re.compile(r"(\w+) \(No registered '\w+' OpKernel for XLA.*?\{\{node ([^}]+)\}\}", re.DOTALL)


def _refused(error: Exception) -> tuple[str, str]:
    """The name in the program's graph of the op that XLA cannot compile, and why."""
    text = getattr(error, "message", None) or str(error)
    unsupported = _UNSUPPORTED.search(text)
    if unsupported:
        return unsupported.group(2), f"XLA does not support {unsupported.group(1)}"
    node = _NODE.search(text)
    name = node.group(1) if node else ""
    if "fixed tensor list size" in text:
        return name, "XLA needs the number of iterations of a 'while' to compile its gradient"
    return name, plain_reason(error).partition(" Stack trace for op definition:")[0]
