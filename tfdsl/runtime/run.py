"""Runs a compiled program: its sessions in order, from the start or from an interrupted training."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache

import numpy as np

from ..access import Access, access_of
from ..data.arrays import Dataset
from ..data.schema import shown
from ..diagnostics import (
    DATA_EMPTIED,
    DATA_ROUNDED,
    EXPECT_FAILED,
    SYNTHETIC,
    VALUES_ASYNC,
    VARIABLE_CLEARED,
    VARIABLE_GONE,
    Diagnostic,
    Note,
    TfgError,
)
from ..diagnostics.render import render_text
from ..given import named_values
from ..lowering.failures import failure
from ..lowering.tf import tf
from ..program import Field, Keep, Program, Restore, Run, Save, Session, Train, known_text, names_given, places, walk
from ..record import replace
from .checkpoint.manager import CheckpointManager
from .checkpoint.store import open_stores
from .cluster.async_training import AsyncWorker, Phase
from .execution.cluster_session import Lost, Servers
from .execution.savers import Savers
from .files.event_log import rewind, scalars
from .initial_values import of_graph
from .options import Options
from .program import RunnableProgram
from .result import DataUsed, Interrupted, Result
from .run_context import RunContext
from .session import opened, run_session, take_part


def run(compiled: RunnableProgram, session: str | None = None, options: Options | None = None) -> Result:
    """Run the sessions of a program, or only the named one."""
    options = options or Options(write=lambda line: None)
    program = compiled.program
    result = Result(
        program.path, {param.name: param.value for param in program.params}, declared=program.params
    )  # fmt: skip
    servers, worker = None, None
    if compiled.devices.cluster is not None:
        servers = Servers(
            compiled.devices.cluster, options.timeout, options.note, compiled.devices.worker, options.interrupted
        )
        if options.part is not None:
            worker = AsyncWorker(servers, options.part, options.check)
    result.versions = {"tensorflow": tf.__version__}
    variables = named_values("variables", options.variables)

    @cache  # a training asks at each step
    def arrays(field: Field) -> np.ndarray:
        array = compiled.array(field)
        _record_data(compiled, options, result)
        return array

    context = RunContext(
        options,
        result,
        arrays,
        compiled.learned,
        compiled.fitted,
        compiled.access,
        servers,
        worker,
        compiled.readable,
        {data.name: data.rows for data in program.data},
    )
    with ExitStack() as stack:
        stores = options.stores
        if stores is None:
            stores = stack.enter_context(open_stores(program, session, compiled.access))
        if options.part is not None:
            refuse_kept(program)
        reached = (lambda: None) if worker is None else worker.board.steps
        checkpoints = CheckpointManager(compiled, program, session, stores, options, result, servers, reached)
        if options.fresh:
            checkpoints.start_over()
        try:
            resume = checkpoints.resume(options.resume_anyway)
            if resume is not None:
                resume_logs(result, options, compiled.access)
            if options.observer is not None:
                options.observer.begins(result)
            first = 0 if resume is None else resume.position.session
            wanted = [(number, plan) for number, plan in enumerate(program.sessions) if session in (None, plan.name)]
            wanted = [(number, plan) for number, plan in wanted if number >= first]
            if resume is None:
                check_restores(compiled, [plan for _, plan in wanted])
            for number, plan in wanted:
                built = compiled.built(plan.graph)
                _record_data(compiled, options, result)
                here = resume if number == first else None
                given = of_graph(variables, program, plan.graph)
                run_session(plan, built, context, checkpoints, number, here, given)
        except Interrupted:
            result.interrupted = True
        except TfgError as error:
            if any(diagnostic.code == EXPECT_FAILED.code for diagnostic in error.diagnostics):
                checkpoints.clear_finished()  # the trainings ended without errors
            raise
        else:
            if worker is not None:
                worker.end()
            checkpoints.clear()  # only now: statements after a training, such as `save`, may fail or be killed
    return result


def follow(compiled: RunnableProgram, options: Options) -> None:
    """Take this process's steps in the trainings of a run that another process leads, until the run is over."""
    assert options.part is not None and compiled.devices.cluster is not None
    program, result = compiled.program, Result(compiled.program.path, {})
    servers = Servers(compiled.devices.cluster, options.timeout, options.note, compiled.devices.worker)
    servers.wait()
    worker = AsyncWorker(servers, options.part)
    context = RunContext(
        options, result, cache(compiled.array), compiled.learned, compiled.fitted, compiled.access, servers, worker
    )
    done: Phase | None = None
    is_bereft = False  # whether variables of the phase have no values
    while True:
        try:
            if is_bereft and done is not None:
                options.note("waits until the lost variables are restored")
                worker.report_missing(done)
            is_bereft = False
            done = worker.wait(done)
            if done is None:
                return
            plan = program.sessions[done.session]
            built, number = compiled.built(plan.graph), done.session
            with opened(plan, built, context, number) as session:
                session.run.at = done.statement
                training = places(plan.body)[done.statement]
                assert isinstance(training, Train), training
                first = worker.next_step()
                options.note(f"trains from step {first}")
                take_part(session, training, first)
        except Lost as lost:
            servers.wait_for_lost(lost)
            is_bereft = is_bereft or any(job == "ps" for job, _ in lost.tasks)
            if not is_bereft:
                done = None  # the session starts again from its last place
        except TfgError as error:
            if not any(one.code in (VARIABLE_CLEARED.code, VARIABLE_GONE.code) for one in error.diagnostics):
                raise
            is_bereft = True  # the chief has not restored them yet


def check_restores(compiled: RunnableProgram, sessions: list[Session]) -> None:
    """Check before the run that the checkpoints to restore exist and have values for all variables, and report all
    errors at once. Checkpoints that the sessions save themselves are checked later."""
    made: set[str | None] = set()
    faults = []
    for plan in sessions:
        for statement in walk(plan.body):
            if not isinstance(statement, (Save, Keep, Restore)):
                continue
            path = known_text(statement.path)
            place = None if path is None else os.path.abspath(path)
            if isinstance(statement, (Save, Keep)):
                made.add(place)
            elif path is not None and not made & {place, None}:
                savers = Savers(compiled.built(plan.graph), compiled.access, compiled.learned)
                try:
                    if not statement.if_exists or savers.exists(path, statement.origin):
                        savers.check(statement.pairs, path, statement.origin)
                except TfgError as error:
                    faults += error.diagnostics
    if faults:
        raise TfgError(faults)


def refuse_kept(program: Program) -> None:
    """Refuse trainings with values of the session's names where several processes train: only one of them has these."""
    for session in program.sessions:
        given = names_given(session.body)
        for training in (one for one in walk(session.body) if isinstance(one, Train)):
            taken = [one.uses() for one in walk((training,)) if isinstance(one, (Train, Run))]
            names = {name for uses in taken for name in (*uses.session_names, *(uses.data or ())[:1])} & given
            if names:
                raise failure(VALUES_ASYNC, training.origin, name=min(names))


def resume_logs(result: Result, options: Options, own: Access) -> None:
    """Continue the event files and the logged history of a run that was stopped."""
    # A checkpoint names its event files, but they are used only in folders that this user or program chose.
    access = own if options.logdir is None else access_of(options.logdir)
    files = [file for file in result.events if options.logdir in (None, file.folder)]
    for folder in rewind(files, result.run, access):
        options.note(f"the log in {folder} lacks records from before the checkpoint")
    for tag, step, value in scalars(files, access):
        result.history.setdefault(tag, []).append((step, value))


def _record_data(compiled: RunnableProgram, options: Options, result: Result) -> None:
    """Record the data sets loaded since the last call, and report notes about them."""
    for name, used in compiled.datasets.items():
        if name in result.data:
            continue
        result.data[name] = DataUsed(used.origin, used.rows, used.columns, used.synthetic)
        for warning in _warnings(compiled.program, name, used):
            options.note(render_text(warning).rstrip())


def _warnings(program: Program, name: str, used: Dataset) -> Iterator[Diagnostic]:
    """The notes about a loaded data set."""
    spec = next(data for data in program.data if data.name == name)
    if used.synthetic:
        yield Diagnostic(SYNTHETIC, spec.origin.span, {"name": spec.source.name})
    rounded = [
        Diagnostic(DATA_ROUNDED, spec.origin.span, {"column": shown(column), "data": name, "row": row + 1,
                                                    "value": f"{value:.0f}", "rounded": f"{as_float:.0f}"})
        for column, row, value, as_float in used.rounded
    ]  # fmt: skip
    for one in rounded[:1]:
        yield replace(one, notes=tuple(Note(other.headline) for other in rounded[1:]))
    for transform, column, value in used.emptied:
        text = repr(value).removesuffix(".0")
        details = {"transform": transform, "column": shown(column), "data": name, "value": text}
        yield Diagnostic(DATA_EMPTIED, spec.origin.span, details)
