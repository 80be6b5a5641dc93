"""The statements of sessions: what each does outside the graph.

The module of a statement has its name and a function `execute`. If a training can run the statement in the graph, the
module also has `replay`, which does the same with the values gathered there. Statements that only trainings have
(`train`, `every`, `stop when`, `checkpoint`) are in `training/`.
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
    """Execute a statement, in its own execution of the graph if it needs one."""
    _module(type(statement)).execute(run, statement)


def replay(run: Execution, statement: Statement, fetched: Mapping[Ref, object]) -> None:
    """Execute a statement with the values that were gathered in the graph."""
    _module(type(statement)).replay(run, statement, fetched)
