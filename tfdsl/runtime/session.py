"""Opens the sessions of a program and runs their statements in order. Each is one `tf.Session`."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ..diagnostics import CALL_SLOW
from ..lowering.built import BuiltGraph
from ..lowering.failures import failure
from ..lowering.tf import tf, v1
from ..program import Checkpoint, If, LogTo, Save, Session, Statement, Train, places, walk
from .checkpoint.handler import TrainingCheckpoints, restore_kept
from .checkpoint.manager import CheckpointManager, Resume
from .cluster.async_training import AsyncTraining, AsyncWorker
from .cluster.recovery import RecoverableTraining, Recovery
from .execution.branches import holds
from .execution.cluster_session import Late, Lost
from .execution.data_session import DataSession
from .execution.evaluate import EvalContext
from .execution.execution import Execution
from .execution.in_order import InOrder
from .execution.journal import Place
from .execution.savers import Savers
from .initial_values import give
from .notices import report_notices
from .result import Interrupted
from .run_context import RunContext
from .statements import execute, keep
from .training import worker_rows
from .training.engine import Handler
from .training.health import HealthyTraining
from .training.loop import TrainingLoop
from .training.select import Engines
from .training.step_engine import StepEngine
from .training.train import running, train


@dataclass(frozen=True, slots=True)
class Opened:
    """An open session with what its trainings need: the engines and, on a cluster, the recovery and this process's part
    in asynchronous trainings."""

    run: Execution
    engines: Engines
    recovery: Recovery | None = None
    worker: AsyncWorker | None = None


@contextmanager
def opened(
    plan: Session, built: BuiltGraph, context: RunContext, number: int = 0, resume: Resume | None = None
) -> Iterator[Opened]:
    """A session ready for its statements: helper nodes are added, and variables are initialised if the plan says so."""
    savers, servers = Savers(built, context.access, context.learned), context.servers
    now = time.strftime("%Y%m%d%H%M%S", time.gmtime()) if resume is None else resume.entry.about["now"]
    _add_helpers(plan, built, savers)
    soft = built.setting.soft_placement
    if servers is None:
        session = DataSession(built.data, v1.ConfigProto(allow_soft_placement=soft))
    else:
        session = servers.session(built.data, soft)
    run = Execution(
        plan, built, session, savers, context.options, context.result, EvalContext(context.arrays, {"now": now}),
        InOrder(built, bool(plan.body)), context.access, context.fitted, context.readable, number,
        on_cluster=servers is not None, resumed=resume is not None,
    )  # fmt: skip
    try:
        engines = Engines(run, plan.body, context.rows)
        report_notices(run)
        recovery = None
        if servers is None:
            run.begin()
        else:
            recovery = Recovery(run, servers, context.worker)
            run.known_values = recovery.values
            recovery.begin(resume)
        with run.deterministic():
            context.result.op_determinism.append(run.op_determinism)
            yield Opened(run, engines, recovery, context.worker)
    finally:
        with suppress(Lost, Late, tf.errors.OpError):  # then the workers forget them at another time
            worker_rows.closed(run)
        run.session.close()
        run.close_logs()


def _add_helpers(plan: Session, built: BuiltGraph, savers: Savers) -> None:
    """Add the nodes that the statements need to the graph."""
    for statement in walk(plan.body):
        uses = statement.uses()
        for pairs in uses.stores:
            savers.refuse_clashes(pairs, statement.origin)
            savers.saver(pairs)
        for variable in uses.sets:
            built.setter(built.value(variable))


def run_session(
    plan: Session, built: BuiltGraph, context: RunContext, manager: CheckpointManager, number: int,
    resume: Resume | None, variables: Mapping[str, object],
) -> None:  # fmt: skip
    """Run one session, from a checkpoint if an interrupted training resumes. `variables` replace initial values."""
    with opened(plan, built, context, number, resume) as session:
        if variables and resume is None:
            give(built, session.run.session, variables)
        try:
            _run_statements(session, manager, resume)
        except Interrupted:
            with suppress(Lost, Late):  # it may have waited for a server
                session.run.record_values()
            raise
        except Late:
            slow = places(plan.body)[session.run.at]
            raise failure(CALL_SLOW, slow.origin, seconds=context.options.timeout) from None


def _run_statements(session: Opened, manager: CheckpointManager, resume: Resume | None) -> None:
    """Run a session's statements. If a server is lost meanwhile, continue from the last snapshot."""
    start = Place() if resume is None else Place(resume.position.statement, resume.position.step)
    session.run.step = start.step
    while True:
        try:
            _run_from(session, manager, start, resume)
            session.run.record_values()
            return
        except Lost as lost:
            if session.recovery is None:
                raise
            snapshot = session.recovery.recover(lost)
            start, resume = snapshot.place, snapshot.resume


def _run_from(session: Opened, manager: CheckpointManager, start: Place, resume: Resume | None) -> None:
    """Run a session's statements from a place on."""

    def block(statements: tuple[Statement, ...], first: int, end: int) -> None:
        """Run statements, the first of which is at `first`, and what follows them at `end`."""
        run, recovery, at = session.run, session.recovery, first
        for number, statement in enumerate(statements):
            after = at + len(places((statement,)))
            following = end if number + 1 == len(statements) else after
            if run.options.interrupted():
                raise Interrupted
            if start.statement < after or isinstance(statement, LogTo):
                run.at = at
                match statement:
                    case If():
                        block(*_branch(run, statement, at, start.statement), following)
                    case Train():
                        is_first = at == start.statement
                        _train(session, statement, manager, resume if is_first else None, start.step if is_first else 0)
                        if recovery is not None:
                            recovery.take_snapshot(Place(following), always=True)
                    case _:
                        if isinstance(statement, Save) and recovery is not None:  # it may replace a restored file
                            recovery.take_snapshot(Place(at), always=True)
                        execute(run, statement)
            at = after

    block(session.run.plan.body, 0, len(places(session.run.plan.body)))


def _branch(run: Execution, statement: If, at: int, start: int) -> tuple[tuple[Statement, ...], int]:
    """The branch of an `if` that runs, and where it begins. A session that goes on within a branch runs the rest of
    it, whatever the condition says now."""
    middle = at + 1 + len(places(statement.then))
    is_then = start < middle if start > at else holds(run, statement)
    return (statement.then, at + 1) if is_then else (statement.otherwise, middle)


def _train(session: Opened, plan: Train, manager: CheckpointManager, resume: Resume | None, first: int) -> None:
    """Run a training with all its handlers, from a checkpoint or a step on."""
    run, place = session.run, (session.run.number, session.run.at)
    checkpoint = next((one for one in plan.body if isinstance(one, Checkpoint)), None)
    if checkpoint is not None and resume is not None:
        restore_kept(run, resume, checkpoint.origin)  # the training may go over one of them
    if resume is None and first == 0:
        keep.begin(run, plan)
    loop = TrainingLoop(run, plan, lambda: manager.last_checkpoint_note)
    checkpoints = TrainingCheckpoints(manager, loop, checkpoint, place, resume) if checkpoint is not None else None
    reached = None
    if checkpoints is not None and resume is not None:
        checkpoints.restore()
        first, reached = min(resume.position.step, loop.total), resume.entry.about.get("reached")
    handlers: list[Handler] = [] if checkpoints is None else [checkpoints]
    handlers.append(HealthyTraining(loop))
    if session.recovery is not None:
        handlers.append(RecoverableTraining(session.recovery, checkpoints))
    if session.worker is not None:
        handlers.append(AsyncTraining(session.worker, reached))
    steps = StepEngine(loop, checkpoints, 0 if resume is None else resume.position.body)
    train(steps, session.engines, place, first, handlers)


def take_part(session: Opened, plan: Train, first: int) -> None:
    """Take this process's steps of a training that another process leads, from a step on."""
    run, worker = session.run, session.worker
    assert worker is not None
    steps = StepEngine(TrainingLoop(run, plan))
    with running(steps, session.engines, (run.number, run.at), first) as training:
        loop = training.loop
        while loop.step < loop.total and not worker.is_over():
            training.engine.advance()
            worker.report_step(loop.step, always=loop.step >= loop.total)
