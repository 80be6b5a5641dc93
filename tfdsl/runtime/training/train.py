"""The training loop: its counters and batches, and the engine that takes its steps.

The engine `step`, here, executes the graph once for every statement of every step: it is the reference. `loop` and
`xla` (`loop.py`) take many steps in one execution.
"""

import time

from ...data.arrays import is_streamed
from ...data.batches import BatchOrder
from ...program import Checkpoint, Every, Field, Statement, Stop, Train
from ..checkpoint.manager import Kept, Position, Resume, restore
from ..cluster.recovery import Place
from ..execution import evaluate as host
from ..execution.nan import Watch
from ..options import Progress
from ..result import Interrupted
from ..session import SessionRun
from .batch_stream import Stream


class Stopped(Exception):
    """`stop when` held."""


class Loop:
    """One training: counts steps, draws batches.

    A step is one turn of the body. `epoch` counts passes over the data; without data each step is one.
    """

    def __init__(self, run: SessionRun, plan: Train, kept: Kept):
        self.run, self.plan = run, plan
        self.watch = Watch(run.built, plan, lambda: kept.last_text)
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
        self.step = self.started_at = 0
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
                if not self.is_time(statement):
                    return False
                self._last_time[id(statement)] = time.monotonic()
                return True

    def is_time(self, statement: Every | Checkpoint) -> bool:
        """Whether the seconds of a statement are over; those of one that was never done always are."""
        last = self._last_time.get(id(statement))
        return last is None or time.monotonic() - last >= statement.count


class Steps:
    """The engine `step`: one execution of the graph a statement. It also keeps the checkpoints."""

    name = "step"

    def __init__(self, loop: Loop, kept: Kept, place: tuple[int, int], first_statement: int = 0):
        self.loop, self._run, self._kept, self._place = loop, loop.run, kept, place
        self._first_statement = first_statement  # of the body, with which the next step begins
        self._kept_at = -1  # the step before which a checkpoint was kept last
        self.checkpoint = next((s for s in loop.plan.body if isinstance(s, Checkpoint)), None)
        self.folder = self._run.text(self.checkpoint.path) if self.checkpoint else None

    def begin(self) -> None:
        """Be ready to take steps."""
        self.loop.open_stream()

    def advance(self) -> None:
        """Take one step."""
        loop, body = self.loop, self.loop.plan.body
        loop.begin_step()
        share = self._run.options.share
        for at in range(self._first_statement, len(body)):
            if share is not None and not share.takes(loop.step, body[at]):
                continue
            if isinstance(body[at], Checkpoint):
                self.keep_if_due(at + 1)
            else:
                self._statement(body[at])
        self._first_statement = 0
        loop.step += 1
        self._run.result.steps += 1

    def keeps_now(self) -> bool:
        """Whether the program says that a checkpoint is kept in this step, and it was not done yet."""
        loop, since = self.loop, max(self._kept_at, self.loop.started_at)
        if self.checkpoint is None or loop.step <= since:
            return False
        return loop.is_time(self.checkpoint) if self.checkpoint.unit == "second" else loop.is_due(self.checkpoint)

    def keep_if_due(self, statement: int) -> None:
        """As `keep`, if the program says so for this step, and it was not done yet."""
        if self.keeps_now() and self.loop.is_due(self.checkpoint):
            self.keep(statement)

    def keep(self, statement: int) -> None:
        """Keep a checkpoint, from which the training goes on at a statement of the current step; not of what is lost
        already: the one before stays the last that is good."""
        lost = self._run.health.lost() if self.loop.watch.cares else ""
        if lost:
            self._run.options.note(f"no checkpoint of step {self.loop.step} is kept: {lost} has become NaN")
            return
        position = Position(*self._place, self.loop.step, statement)
        self._kept.save(self._run, self.folder, position, self.checkpoint.origin)
        self._kept_at = self.loop.step

    def hold(self) -> None:
        """Keep the state of a training that keeps checkpoints on the servers, too, for a client that comes after this
        one."""
        if self.checkpoint is not None:
            if self.loop.step == 0:
                self.keep(0)  # by which the other client knows whose training it is
            self._kept.hold(self._run, self.folder, Position(*self._place, self.loop.step, 0))

    def written(self) -> None:
        """Wait until all is written that was logged."""

    def close(self) -> None:
        if self.loop.stream is not None:
            self.loop.stream.close()

    @property
    def is_inside_step(self) -> bool:
        """Whether the next step has begun already, before a checkpoint."""
        return self._first_statement > 0

    def _statement(self, statement: Statement) -> None:
        run = self._run
        match statement:
            case Every():
                if self.loop.is_due(statement):
                    for inner in statement.body:
                        self._statement(inner)
            case Stop():
                fetched = run.fetch(statement.uses().values, statement.feeds, statement.origin)
                if host.truth(run.value(statement.condition, fetched, statement.origin)):
                    raise Stopped
            case _:
                run.statement(statement)


def train(
    run: SessionRun, plan: Train, kept: Kept, place: tuple[int, int], resume: Resume | None = None, first: int = 0
) -> None:
    """Run a training to its end, from a checkpoint or a step on. `place` is the session's and the statement's index in
    the program."""
    loop = Loop(run, plan, kept)
    run.around.batch, run.watch = loop.batch_field, loop.watch
    steps = Steps(loop, kept, place, 0 if resume is None else resume.position.body)
    reached = None
    if resume is not None:
        restore(run, resume, steps.checkpoint.origin)
        first, reached = min(resume.position.step, loop.total), resume.state.about.get("reached")
    loop.step = loop.started_at = first
    if loop.watch.cares:
        run.health.begin()
    else:
        run.health.forget()
    progress = run.options.progress(loop.total, loop.step, str(plan.unit)) if run.options.progress else Progress()
    engine = run.engines.taken(steps, place)
    if resume is not None and resume.is_exact:
        kept.check_engine(resume, engine.name, steps.checkpoint.origin)
    share = run.options.share
    if share is not None:
        share.begin(*place, first, reached)
    try:
        while loop.step < loop.total:
            keeps = steps.keeps_now()  # a server that is lost after that must not throw it further back
            if not steps.is_inside_step and run.hold(Place(run.at, loop.step), always=keeps or loop.step == first):
                engine.written()
                if not keeps:
                    steps.hold()
            engine.advance()
            progress.step(loop.step)
            if share is not None:
                share.came_to(loop.step)
            if run.options.interrupted():
                if steps.folder is not None:
                    engine.written()
                    steps.keep(0)
                    run.options.note(f"kept step {loop.step} in {steps.folder}: the next run goes on from there")
                raise Interrupted
        if share is not None:
            share.join(loop.total)
    except Stopped:
        pass
    finally:
        progress.close()
        engine.close()
        run.around.batch = run.watch = None
        run.step = loop.step
    if share is not None:
        share.close()
    if loop.watch.cares:
        when = f"after the last step, {loop.step - 1}"
        run.health.check(when, "the training fails", plan.origin, loop.watch.notes())
    if steps.folder is not None:
        kept.finish(run, steps.folder)


def take_part(run: SessionRun, plan: Train, kept: Kept, place: tuple[int, int], first: int) -> None:
    """Take this process's steps of a training that another process leads, from a step on."""
    loop = Loop(run, plan, kept)
    run.around.batch, run.watch = loop.batch_field, loop.watch
    loop.step = loop.started_at = first
    engine = run.engines.taken(Steps(loop, kept, place), place)
    share = run.options.share
    try:
        while loop.step < loop.total and not share.is_over():
            engine.advance()
            share.came_to(loop.step, always=loop.step >= loop.total)
    finally:
        engine.close()
        run.around.batch = run.watch = None
