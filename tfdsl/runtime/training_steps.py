"""A training whose steps a Python caller takes, with feeds of its own."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from typing import NoReturn

import numpy as np

from ..diagnostics import (
    FEEDS_ENDED,
    LOGS_NOWHERE,
    NO_SUMMARY,
    RUNS_NOTHING,
    SESSION_COPIED,
    TRAINING_ENDED,
    Diagnostic,
    TfgError,
)
from ..diagnostics.spelling import did_you_mean, listed
from ..lowering.cloning import NotCopied, name_of
from ..lowering.tf import Operand, tf, v1
from ..program import Checkpoint, LogTo, Node, OnNan, Ref, Run, Session, Train, Value, filled, refs_of
from ..record import replace
from .checkpoint.handler import TrainingCheckpoints
from .checkpoint.manager import CheckpointManager
from .checkpoint.store import open_stores
from .execution.evaluate import Fetched
from .notices import report_hidden
from .open_graph import Arrays, OpenGraph, no_line, placeless, warn
from .program import RunnableProgram
from .run import resume_logs
from .statements import execute
from .training.engine import Training
from .training.fed_loop import FedLoop, StepExecution
from .training.health import HealthyTraining
from .training.loop import TrainingLoop
from .training.step_engine import StepEngine

_Given = Mapping[str, object]
# The feeds of a training: the same at each step, made from the number of the step, or one after the other.
FeedSource = _Given | Callable[[int], _Given] | Iterable[_Given] | None


@dataclass(frozen=True, slots=True)
class StepRequest:
    """What a training does, as `EmbeddedSession.train` takes it. Paths are "" if there are none."""

    steps: int | None
    feed: FeedSource
    fetch: tuple[str, ...]
    run: tuple[str, ...] | None
    together: int
    log_to: str
    log: tuple[str, ...] | None
    log_every: int
    checkpoint: str
    checkpoint_every: int
    on_nan: OnNan


@dataclass(frozen=True)
class TrainingStep:
    """A step that a training has taken. `number` counts from 0. `values` has what was fetched, by its names: NumPy
    arrays and numbers with the dtype and shape of the tensor. `step["loss.mse"]` is one of them, and `step.mse` is one
    whose name can be an attribute."""

    number: int
    values: Mapping[str, Fetched]
    _log: "Callable[[int, Mapping[str, float]], None]" = field(repr=False, compare=False)

    def __getitem__(self, name: str) -> Fetched:
        if name in self.values:
            return self.values[name]
        hint = did_you_mean(name, self.values) or "fetched are " + (listed(self.values) or "none")
        raise KeyError(f"the step has fetched no {name!r}; {hint}")

    def __getattr__(self, name: str) -> Fetched:
        if name.startswith("_") or "values" not in self.__dict__:  # for copies
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(error.args[0]) from None

    def log(self, scalars: Mapping[str, float]) -> None:
        """Write numbers of the caller, by their tags, to the event file of the training, at this step: the reward of
        an episode, say. Raises `TfgError` if the training logs nowhere."""
        self._log(self.number, scalars)


class TrainingSteps(Iterator[TrainingStep]):
    """The steps of a training: each turn of a loop over it takes one. `number` is that of the next step.

    `EmbeddedSession.train` makes it.
    """

    def __init__(self, graph: OpenGraph, compiled: RunnableProgram, stack: ExitStack, wanted: StepRequest):
        """Checkpoints hold their folders until the `stack` is closed."""
        self._graph, self._run, self._wanted = graph, graph.run, wanted
        self._built, self._program = graph.run.built, graph.run.built.program
        self._origin = no_line(compiled.program.path)
        self._fetch = {name: graph.named(name) for name in wanted.fetch}
        self._fetched = [ref for named in self._fetch.values() for ref in refs_of(named.value)]
        self._ran = self._steps_of(wanted.run)
        self._summaries = self._summaries_of(wanted.log)
        self._loop = TrainingLoop(self._run, self._plan(), self._last_checkpoint)
        self._training = Training(self._run, self._loop, StepEngine(self._loop), (0, 0), 0)
        self._health = HealthyTraining(self._loop)
        self._checked: set[tuple[frozenset[Ref], bool]] = set()
        self._waiting: deque[Arrays] = deque()  # the feeds of the next steps
        self._fed_loops: dict[tuple[frozenset[Ref], bool], tuple[FedLoop, list[bool]]] = {}
        self._taken: deque[TrainingStep] = deque()  # steps taken together with one before them
        self._alone_until = 0  # the step up to which each is taken alone
        self._together = wanted.together
        self._is_complete = False  # whether all steps are taken
        self._ended = ""  # why there are no more, if something else has ended the training
        self._is_read = False  # whether the source of feeds has no more
        self._manager: CheckpointManager | None = None
        self._checkpoints: TrainingCheckpoints | None = None
        self._run.result.engines.append("step")
        with placeless(self._origin):
            if wanted.checkpoint:
                self._open(compiled, stack)
            self._health.begin(self._training)
        self._source = None if callable(wanted.feed) else self._iterator(wanted.feed)

    def __reduce__(self) -> NoReturn:
        raise TfgError([Diagnostic(SESSION_COPIED, None)])

    @property
    def number(self) -> int:
        """The number of the next step: the steps taken up to here, including those before an interruption."""
        return self._loop.step - len(self._taken)

    @property
    def steps(self) -> int | None:
        """The number of all steps, if the caller has given it."""
        return self._wanted.steps

    # --- what a step does -----------------------------------------------------------------

    def _steps_of(self, names: tuple[str, ...] | None) -> list[tuple[Ref, ...]]:
        """What each execution of a step runs: by default each optimizer of the graph in its own execution, as in a
        `train` without `run`."""
        if names is None:
            steps = [(Ref(node.id),) for node in self._program.steps()]
            if not steps:
                raise TfgError([Diagnostic(RUNS_NOTHING, None, {"why": "the graph has no optimizer"})])
            return steps
        refs = tuple(ref for name in names for ref in refs_of(self._graph.named(name).value))
        if not refs:
            why = f"{listed(names)} is known while compiling" if names else "'run' is an empty list"
            raise TfgError([Diagnostic(RUNS_NOTHING, None, {"why": why})])
        return [refs]

    def _summaries_of(self, names: tuple[str, ...] | None) -> list[Ref]:
        if names is None:
            return [Ref(node.id) for node in self._program.summaries()] if self._wanted.log_to else []
        if not self._wanted.log_to:
            raise TfgError([Diagnostic(LOGS_NOWHERE, None)])
        tagged: dict[str, list[Ref]] = {}
        for node in self._program.summaries():
            tagged.setdefault(node.text("tag"), []).append(Ref(node.id))
        for tag in names:
            if tag not in tagged:
                help = did_you_mean(tag, tagged) or "there are " + (listed(tagged) or "none")
                raise TfgError([Diagnostic(NO_SUMMARY, None, {"tag": tag}, help=help)])
        return [ref for tag in names for ref in tagged[tag]]

    def _plan(self) -> Train:
        """The training as a statement of a session. It says nothing of what does not change the steps."""
        body = tuple(Run(self._origin, refs, ()) for refs in self._ran)
        return Train(self._origin, 0, "step", None, None, "ordered", 0, body, "step", self._wanted.on_nan)

    def _execution(
        self, at: int, fed: frozenset[Ref], is_logged: bool
    ) -> tuple[list[Ref], tuple[Ref, ...], Ref | None]:
        """What one execution of a step fetches, which losses it minimizes, and `training` if it must be fed."""
        ran = self._ran[at]
        fetched = [*self._fetched, *(self._summaries if is_logged else ())] if at == len(self._ran) - 1 else []
        if (fed, is_logged) not in self._checked:
            needed = list(dict.fromkeys(name for name in (*(self._wanted.run or ()), *self._fetch)))
            self._graph.refuse_unfed([*ran, *fetched], fed, listed(needed) or "the optimizer", "train")
            if at == len(self._ran) - 1:
                self._checked.add((fed, is_logged))
        return fetched, self._loop.watch.losses(ran), self._graph.training([*ran, *fetched], fed)

    # --- checkpoints ----------------------------------------------------------------------

    def _open(self, compiled: RunnableProgram, stack: ExitStack) -> None:
        """Open the folder of the checkpoints, and resume from the newest one, if there is one."""
        wanted, run, plan = self._wanted, self._run, self._loop.plan
        options, path = run.options, Value(wanted.checkpoint)
        # The identity of the checkpoints does not depend on how often they are saved.
        kept = replace(plan, body=(Checkpoint(self._origin, 1, "step", path), *plan.body))
        session = Session("", self._program.name, True, (kept,), self._origin)
        program = replace(compiled.program, sessions=(session,))
        self._keep_random()
        stores = stack.enter_context(open_stores(program, None, compiled.access))
        manager = self._manager = CheckpointManager(compiled, program, None, stores, options, run.result)
        if options.fresh:
            manager.start_over()
        resume = manager.resume(options.resume_anyway)
        due = Checkpoint(self._origin, wanted.checkpoint_every, "step", path)
        self._checkpoints = TrainingCheckpoints(manager, self._loop, due, (0, 0), resume)
        if resume is None:
            return
        resume_logs(run.result, options, compiled.access)
        self._checkpoints.restore()
        self._checkpoints.begin(self._training)
        run.resumed = True
        self._loop.step = self._loop.started_at = resume.position.step

    def _keep_random(self) -> None:
        """Let all random ops draw from streams, whose states checkpoints hold. The caller can execute any of them."""
        copier, run, built = self._built.copier, self._run, self._built
        nodes = [item for item in self._program.items if isinstance(item, Node) and not item.is_variable]
        values = [built.element(value) for node in nodes for value in built.values[node.id]]
        names = copier.reached(map(name_of, values))
        run.in_order.keep(copier.twinned(names))
        report_hidden(run, names, warn)

    def _last_checkpoint(self) -> str:
        return "" if self._manager is None else self._manager.last_checkpoint_note

    def end(self, why: str) -> None:
        """Let there be no more steps."""
        self._ended = why

    def forget(self) -> None:
        """Remove the checkpoints."""
        if self._manager is not None:
            self._manager.clear()

    # --- feeds ----------------------------------------------------------------------------

    def _iterator(self, feed: _Given | Iterable[_Given] | None) -> Iterator[_Given] | None:
        """The feeds of the steps one after the other. None if they are the same at each step."""
        if feed is None or isinstance(feed, Mapping):
            return None
        if not isinstance(feed, Iterable):
            kinds = "a mapping of names to values, a function of the step that returns one, or an iterable of them"
            raise TypeError(f"feed must be {kinds}, not {type(feed).__name__}")
        source = iter(feed)
        skipped = sum(1 for _ in islice(source, self._loop.step))  # those of the steps before an interruption
        self._is_read = skipped < self._loop.step
        return source

    def _pull(self, count: int) -> None:
        """Get the feeds of the next steps, up to a number."""
        feed = self._wanted.feed
        while len(self._waiting) < count and not self._is_read:
            given: object = feed
            if callable(feed):
                given = feed(self._loop.step + len(self._waiting))
            elif self._source is not None:
                try:
                    given = next(self._source)
                except StopIteration:
                    self._is_read = True
                    return
            self._waiting.append(self._graph.feeds(given))

    def _alike(self, count: int) -> list[Arrays]:
        """The feeds of the next steps that can be taken together: with the same names and shapes."""
        first = {ref: array.shape for ref, array in self._waiting[0].items()}
        feeds = []
        for one in islice(self._waiting, count):
            if {ref: array.shape for ref, array in one.items()} != first:
                break
            feeds.append(one)
        return feeds

    # --- taking steps ---------------------------------------------------------------------

    def __iter__(self) -> "TrainingSteps":
        return self

    def __next__(self) -> TrainingStep:
        """Take a step, with feeds from `feed`."""
        self._graph.refuse_closed()
        if self._taken:
            return self._taken.popleft()
        self._refuse_ended()
        with placeless(self._origin):
            taken = None if self._is_complete else self._advance()
            if taken is None:
                self._finish()
        if taken is None:
            raise StopIteration
        return taken

    def step(self, feed: Mapping[str, object] | None = None) -> TrainingStep:
        """Take a step with these feeds. Without them, they come from the `feed` of the training.

        Raises `TfgError` as `train` and `run` do, and if all steps are taken.
        """
        if feed is None:
            taken = next(self, None)
            if taken is None:
                raise self._no_more()
            return taken
        if self._wanted.together > 1:
            raise ValueError("steps taken together need their feeds in advance: give them to train(feed=...)")
        self._graph.refuse_closed()
        self._refuse_ended()
        if self._is_complete or self._loop.step == self._wanted.steps:
            raise self._no_more()
        with placeless(self._origin):
            self._begin()
            return self._alone(self._graph.feeds(feed))

    def _refuse_ended(self) -> None:
        if self._ended:
            raise self._no_more()

    def _no_more(self) -> TfgError:
        why = self._ended or "all its steps are taken"
        return TfgError([Diagnostic(TRAINING_ENDED, None, {"why": why})])

    def _begin(self) -> None:
        """Save a checkpoint if one is due before the next step."""
        if self._checkpoints is not None:
            self._checkpoints.save_if_due(0)

    def _advance(self) -> TrainingStep | None:
        """Take one or more steps, and return the first of them. None if there are no more."""
        step, total = self._loop.step, self._wanted.steps
        if total is not None and step >= total:
            return None
        self._begin()
        count = 1 if step < self._alone_until else self._together
        count = count if total is None else min(count, total - step)
        if self._checkpoints is not None:
            count = min(count, self._wanted.checkpoint_every - step % self._wanted.checkpoint_every)
        self._pull(count)
        if not self._waiting:
            if total is not None:
                raise TfgError([Diagnostic(FEEDS_ENDED, None, {"taken": step, "total": total})])
            return None
        alike = self._alike(count)
        if len(alike) > 1 and self._at_once(alike):
            for _ in alike:
                self._waiting.popleft()
            return self._taken.popleft()
        taken = self._alone(self._waiting[0])
        self._waiting.popleft()
        return taken

    def _alone(self, fed: Arrays) -> TrainingStep:
        """Take one step."""
        is_logged = self._is_logged(self._loop.step)
        self._loop.begin_step()
        found: list[Fetched] = []
        for at, ran in enumerate(self._ran):
            fetched, losses, training = self._execution(at, frozenset(fed), is_logged)
            fetches: list[Operand] = [*map(self._built.operation, ran), *map(self._built.value, fetched)]
            fetches += map(self._built.loss_tensor, losses)
            given = fed if training is None else {**fed, training: np.array(True)}
            values = self._graph.execute(fetches, given, self._program.nodes[ran[0].node].origin)
            self._loop.watch.check(losses, values[len(ran) + len(fetched) :], self._loop.step)
            found = values[len(ran) : len(ran) + len(fetched)]
        return self._made(found)

    def _at_once(self, feeds: list[Arrays]) -> bool:
        """Take several steps in one execution. False if that is not possible: then each is taken alone."""
        fed, step, run = frozenset(feeds[0]), self._loop.step, self._run
        loop, has_value = self._fed_loop(fed, any(map(self._is_logged, range(step, step + len(feeds)))))
        try:
            drawn = run.in_order.keep(loop.random(fed))
            reason = f"{drawn[0]} has drawn random numbers before" if drawn else ""
            values = [] if reason else loop.take(feeds)
        except NotCopied as error:
            reason, values = loop.why(error), []
        if reason:
            run.options.note(f"the training takes its steps one by one: {reason}")
            self._together = 1
            return False
        if isinstance(values, str):  # the step that fails reports it
            self._alone_until = step + len(feeds)
            return False
        for row in values:
            self._loop.begin_step()
            tensors_of = iter(row)
            self._taken.append(self._made([next(tensors_of) if one else None for one in has_value]))
        return True

    def _fed_loop(self, fed: frozenset[Ref], is_logged: bool) -> tuple[FedLoop, list[bool]]:
        """The loop for several steps with some tensors fed, and which of the fetches of a step have a value."""
        if (fed, is_logged) not in self._fed_loops:
            executions, has_value = [], []
            for at, ran in enumerate(self._ran):
                fetched, losses, training = self._execution(at, fed, is_logged)
                elements = [self._built.element(self._built.value(ref)) for ref in fetched]
                tensors = tuple(one for one in elements if isinstance(one, tf.Tensor))
                others = (one for one in elements if isinstance(one, tf.Operation))
                operations = tuple(dict.fromkeys([*map(self._built.operation, ran), *others]))
                made = tuple(map(self._built.loss_tensor, losses))
                executions.append(StepExecution(operations, tensors, made, training))
                has_value = [isinstance(one, tf.Tensor) for one in elements]
            self._fed_loops[fed, is_logged] = FedLoop(self._run, self._loop.watch, executions), has_value
        return self._fed_loops[fed, is_logged]

    def _made(self, values: list[Fetched]) -> TrainingStep:
        """The step that has just been taken, with its fetched values and those of its summaries."""
        step, found = self._loop.step, iter(values)
        result = {name: filled(named.value, lambda _: next(found)) for name, named in self._fetch.items()}
        if self._is_logged(step):
            self._begin_log(step)
            for serialized in found:
                self._run.add_summary(v1.Summary.FromString(serialized), step)
        self._loop.step += 1
        self._run.result.steps += 1
        return TrainingStep(step, result, self._log)

    def _finish(self) -> None:
        """All steps are taken."""
        if not self._is_complete:
            self._is_complete = True
            self._health.end(self._training)

    # --- logs -----------------------------------------------------------------------------

    def _is_logged(self, step: int) -> bool:
        return bool(self._summaries) and step % self._wanted.log_every == 0

    def _begin_log(self, step: int) -> None:
        """Open the event file, if it is not open."""
        run, folder = self._run, self._run.options.logdir or self._wanted.log_to
        if run.log is None or run.log.folder != folder:
            run.step = step
            execute(run, LogTo(self._origin, Value(folder)))

    def _log(self, step: int, scalars: Mapping[str, float]) -> None:
        self._graph.refuse_closed()
        if not self._wanted.log_to:
            raise TfgError([Diagnostic(LOGS_NOWHERE, None)])
        with placeless(self._origin):
            self._begin_log(step)
            values = [v1.Summary.Value(tag=tag, simple_value=float(value)) for tag, value in scalars.items()]
            self._run.add_summary(v1.Summary(value=values), step)
