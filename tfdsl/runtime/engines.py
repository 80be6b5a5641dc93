"""Which engine takes the steps of a training, and why it is another one than was asked for."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..diagnostics import NO_XLA
from ..lowering.copies import Copier, NotCopied
from ..lowering.failures import failure
from ..lowering.tf import tf
from ..program import Expect, Log, Origin, Print, Ref, Run, Statement, Stop, Train, fetches_of, walk
from .session import SessionRun, fetched_by
from .streams import Streams

if TYPE_CHECKING:
    from .loop import Engine
    from .training import Steps


class NotInGraph(Exception):
    """This training cannot run in the graph; the text says why, `origin` where."""

    def __init__(self, reason: str, origin: Origin):
        super().__init__(reason)
        self.origin = origin


def wanted(run: SessionRun, plan: Train) -> str:
    """The engine that is asked for; `loop` if none is."""
    return run.options.engine or plan.engine or "loop"


def open_streams(run: SessionRun, trainings: Iterable[Train]) -> None:
    """Make streams for the random ops of a session's trainings that will run in the graph."""
    names: set[str] = set()
    for plan in trainings:
        if wanted(run, plan) != "step" and run.options.tracer is None:
            try:
                names |= _random(run, plan)
            except NotInGraph:
                continue  # and will not run in the graph
    if names:
        run.streams = Streams(run.built, copier_of(run), sorted(names))


def copier_of(run: SessionRun) -> Copier:
    """The copier of a graph, as it was before anything was added for sessions to run."""
    if "copier" not in run.built.loops:
        run.built.loops["copier"] = Copier(run.built.graph)
    return run.built.loops["copier"]


def _random(run: SessionRun, plan: Train) -> set[str]:
    """The random ops that a training's body executes; `NotInGraph` if what it executes cannot be in a loop."""
    copier, graph = copier_of(run), run.built.graph
    names: set[str] = set()
    for statement in walk(plan.body):
        refs = _refs(statement)
        if not refs:
            continue
        elements = [graph.as_graph_element(run.built.value(ref)) for ref in refs]
        fetches = [f"^{one.name}" if isinstance(one, tf.Operation) else one.name for one in elements]
        fed = frozenset(run.built.tensor(feed.ref).name for feed in statement.feeds)
        try:
            names |= set(copier.random(copier.reached(fetches, fed)))
        except NotCopied as error:
            node = run.built.node_of(error.op)
            raise NotInGraph(str(error), node.origin if node else statement.origin) from error
    return names


def _refs(statement: Statement) -> list[Ref]:
    """What a statement of a body fetches or runs."""
    match statement:
        case Run(refs=refs) | Log(summaries=refs):
            return list(refs)
        case Print() | Expect() | Stop():
            return [ref for expr in fetched_by(statement) for ref in fetches_of(expr)]
    return []


def engine_for(steps: "Steps", place: tuple[int, int]) -> "Steps | Engine":
    """The engine of a training; another one than was asked for, and a note that says why, where that cannot be."""
    run, plan = steps.loop.run, steps.loop.plan
    name = wanted(run, plan)
    line = plan.origin.span.line
    if name == "step" or run.options.tracer is not None:
        return _taken(run, steps)
    from .loop import Engine

    if name in ("xla", "auto"):
        try:
            _random(run, plan)
            engine = Engine(steps, place, "xla")
            if name == "xla" or engine.is_worth_compiling:
                engine.compile()
                return _taken(run, engine)
            engine.close()
        except NotInGraph as error:
            if name == "xla":
                raise failure(NO_XLA, error.origin, reason=str(error)) from error
            run.options.note(f"line {line} trains without XLA: {error}")
    try:
        _random(run, plan)
        return _taken(run, Engine(steps, place, "loop"))
    except NotInGraph as error:
        if str(error):
            run.options.note(f"line {line} trains step by step: {error}")
        return _taken(run, steps)


def _taken(run: SessionRun, engine: "Steps | Engine") -> "Steps | Engine":
    run.result.engines.append(engine.name)
    engine.begin()
    return engine
