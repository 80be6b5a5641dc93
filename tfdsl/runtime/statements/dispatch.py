"""Runs one statement of a session that is not part of a training's machinery."""

from collections.abc import Mapping
from typing import assert_never

from ...program import (
    Checkpoint,
    Every,
    Expect,
    Export,
    Init,
    Log,
    LogTo,
    Print,
    Ref,
    Restore,
    Run,
    Save,
    Set,
    Statement,
    Stop,
    Train,
)
from ..execution.execution import Execution
from .expect import check
from .export import export
from .init import initialise
from .log import log, log_to
from .print import print_values
from .restore import restore
from .run import run_operations
from .save import save
from .set import set_variable


def run_statement(run: Execution, statement: Statement) -> None:
    match statement:
        case Print():
            print_values(run, statement)
        case Run():
            run_operations(run, statement)
        case Log():
            log(run, statement)
        case LogTo():
            log_to(run, statement)
        case Expect():
            check(run, statement)
        case Set():
            set_variable(run, statement)
        case Init():
            initialise(run, statement)
        case Restore():
            restore(run, statement)
        case Save():
            save(run, statement)
        case Export():
            export(run, statement)
        case Train() | Every() | Stop() | Checkpoint():
            raise AssertionError(f"a part of a training: {statement}")
        case _:
            assert_never(statement)


def replay(run: Execution, statement: Statement, fetched: Mapping[Ref, object]) -> None:
    """What a statement does outside of the graph, with the values that it had in it."""
    match statement:
        case Print():
            print_values(run, statement, fetched)
        case Expect():
            check(run, statement, fetched)
        case Log() | Stop() | Run() | Every():
            raise AssertionError(f"it is done elsewhere: {statement}")
        case LogTo() | Set() | Init() | Restore() | Save() | Export() | Train() | Checkpoint():
            raise AssertionError(f"it is never in the graph: {statement}")
        case _:
            assert_never(statement)
