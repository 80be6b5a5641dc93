"""Runs a training: the engine takes its steps, and handlers are notified."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from ..execution.evaluate import no_batch
from ..observer import RunObserver
from ..options import Progress
from ..result import Interrupted
from .engine import Handler, Stopped, Training
from .select import Engines
from .step_engine import StepEngine


def train(steps: StepEngine, engines: Engines, place: tuple[int, int], first: int, handlers: Sequence[Handler]) -> None:
    """Run a training to its end, from a step on. `place` has the indices of its session and statement in the program.

    Handlers are notified of the end in reverse order.
    """
    loop, run = steps.loop, steps.loop.run
    if run.options.training_begins is not None:
        run.options.training_begins(*place)
    observer = run.options.observer or RunObserver()
    observer.training_begins()
    progress = run.options.progress(loop.total, first, loop.plan.unit) if run.options.progress else Progress()
    try:
        with running(steps, engines, place, first) as training:
            for handler in handlers:
                handler.begin(training)
            with suppress(Stopped):
                _take_steps(training, steps, progress, handlers)
    finally:
        progress.close()
        observer.training_ends()
    for handler in reversed(handlers):
        handler.end(training)


@contextmanager
def running(steps: StepEngine, engines: Engines, place: tuple[int, int], first: int) -> Iterator[Training]:
    """A training whose engine is ready to take steps, from a step on."""
    loop, run = steps.loop, steps.loop.run
    run.context.batch, run.watch = loop.batch_field, loop.watch
    loop.step = loop.started_at = first
    try:
        engine = engines.select(steps)
        try:
            yield Training(run, loop, engine, place, first)
        finally:
            engine.close()
    finally:
        run.context.batch, run.watch = no_batch, None
        run.step = loop.step


def _take_steps(training: Training, steps: StepEngine, progress: Progress, handlers: Sequence[Handler]) -> None:
    run, loop, engine = training.run, training.loop, training.engine
    while loop.step < loop.total:
        training.is_inside_step = steps.is_inside_step
        for handler in handlers:
            handler.before_step(training)
        engine.advance()
        progress.at((loop.step - 1) // loop.per_epoch, loop.watch.mean())
        progress.step(loop.step)
        for handler in handlers:
            handler.after_step(training)
        if run.options.interrupted():
            for handler in handlers:
                handler.interrupted(training)
            raise Interrupted
    for handler in handlers:
        handler.complete(training)
