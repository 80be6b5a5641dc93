"""The statements of sessions: what each does outside of the graph.

The module of a statement has its name, and a function `execute`. That of one which a training can have in the graph has
`replay`, too: it does the same with the values that were fetched there. What only trainings have (`train`, `every`,
`stop when`, `checkpoint`) is in `training/`.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import ModuleType

from ...program import Ref, Statement
from ..execution.execution import Execution


@cache
def _module(kind: type[Statement]) -> ModuleType:
    return import_module(f"{__name__}.{re.sub('(?<!^)(?=[A-Z])', '_', kind.__name__).lower()}")


def execute(run: Execution, statement: Statement) -> None:
    """Do what a statement says, in an execution of its own if it needs one."""
    _module(type(statement)).execute(run, statement)


def replay(run: Execution, statement: Statement, fetched: Mapping[Ref, object]) -> None:
    """Do what a statement says with the values that it had in the graph."""
    _module(type(statement)).replay(run, statement, fetched)
