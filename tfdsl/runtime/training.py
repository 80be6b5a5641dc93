"""The training loop, one execution of the graph a statement: the reference for every other engine."""

import time

from ..data.arrays import is_streamed
from ..data.batches import BatchOrder
from ..program import Checkpoint, Every, Field, Program, Statement, Stop, Train
from . import host
from .checkpoints import Position, Trainings
from .session import Interrupted, Progress, SessionRun
from .stream import Stream


class _Stopped(Exception):
    """`stop when` held."""


class Loop:
    """One training: counts steps, draws batches, runs the body.

    A step is one turn of the body. `epoch` counts passes over the data; without data each step is one.
    """

    def __init__(self, run: SessionRun, plan: Train):
        self.run, self.plan = run, plan
        self.order: BatchOrder | None = None
        self.per_epoch = 1
        if plan.data is not None:
            name, part = plan.data
            self.part = (name, part)
            rows = len(run.around.arrays(Field(name, part, "features")))
            if plan.size is not None:
                self.order = BatchOrder(plan.order, plan.seed, rows, plan.size)
                self.per_epoch = self.order.steps_per_epoch
        self.total = plan.count * self.per_epoch if plan.unit == "epoch" else plan.count
        self.step = 0
        self._rows = None
        self._batch: dict[str, object] = {}
        self._last_time: dict[int, float] = {}
        self.stream: Stream | None = None

    def open_stream(self) -> None:
        """Read the batches ahead from the current step on, where the data is not in memory."""
        if self.order is None:
            return
        features = self.run.around.arrays(Field(*self.part, "features"))
        if is_streamed(features):
            target = self.run.around.arrays(Field(*self.part, "target"))
            self.stream = Stream(features, target, self.order, self.step, self.total)

    @property
    def epoch(self) -> int:
        return self.step // self.per_epoch

    @property
    def batch(self) -> int:
        return self.step % self.per_epoch

    def begin_step(self) -> None:
        self._rows, self._batch = None, {}
        counters = self.run.around.counters
        counters["epoch"], counters["step"] = self.epoch, self.step
        self.run.step = self.step

    def batch_field(self, field: str):
        """features, target or rows of the current batch."""
        if field == "rows":
            return len(self.batch_field("features"))
        if field not in self._batch:
            whole = self.run.around.arrays(Field(*self.part, field))
            if self.stream is not None:
                self._batch |= self.stream.batch(self.step)
            elif self.order is None:
                self._batch[field] = whole
            else:
                if self._rows is None:
                    self._rows = self.order.indices(self.step)
                self._batch[field] = whole[self._rows]
        return self._batch[field]

    def is_due(self, statement: Every | Checkpoint) -> bool:
        """Whether a count, from 0, is a multiple of the statement's."""
        match statement.unit:
            case "epoch":
                return self.batch == 0 and self.epoch % statement.count == 0
            case "batch":
                return self.batch % statement.count == 0
            case "step":
                return self.step % statement.count == 0
            case _:
                now, key = time.monotonic(), id(statement)
                if key in self._last_time and now - self._last_time[key] < statement.count:
                    return False
                self._last_time[key] = now
                return True


def train(
    run: SessionRun, plan: Train, program: Program, place: tuple[int, int], resume: Position | None = None
) -> None:
    """Run a training to its end. `place` is the session's and the statement's index in the program."""
    loop = Loop(run, plan)
    run.around.batch = loop.batch_field
    kept = Trainings(run, program, place)
    checkpoint = next((s for s in plan.body if isinstance(s, Checkpoint)), None)
    folder = run.text(checkpoint.path) if checkpoint else None
    body = plan.body
    first_statement = 0
    if resume is not None:
        kept.restore(folder, checkpoint.origin)
        loop.step, first_statement = resume.step, resume.body
    progress = run.options.progress(loop.total, loop.step, str(plan.unit)) if run.options.progress else Progress()
    started_at = loop.step
    loop.open_stream()
    try:
        while loop.step < loop.total:
            loop.begin_step()
            for at in range(first_statement, len(body)):
                statement = body[at]
                if isinstance(statement, Checkpoint):
                    if loop.is_due(statement) and loop.step > started_at:
                        kept.save(folder, Position(*place, loop.step, at + 1), statement.origin)
                else:
                    _body_statement(run, loop, statement)
            first_statement = 0
            loop.step += 1
            run.result.steps += 1
            progress.step(loop.step)
            if run.options.interrupted():
                if folder is not None:
                    kept.save(folder, Position(*place, loop.step, 0), checkpoint.origin)
                raise Interrupted
    except _Stopped:
        pass
    finally:
        progress.close()
        if loop.stream is not None:
            loop.stream.close()
        run.around.batch = None
        run.step = loop.step
    if folder is not None:
        kept.clear(folder)


def _body_statement(run: SessionRun, loop: Loop, statement: Statement) -> None:
    match statement:
        case Every():
            if loop.is_due(statement):
                for inner in statement.body:
                    _body_statement(run, loop, inner)
        case Stop():
            fetched = run.fetch([statement.condition], statement.feeds, statement.origin)
            if host.truth(run.value(statement.condition, fetched, statement.origin)):
                raise _Stopped
        case _:
            run.statement(statement)
