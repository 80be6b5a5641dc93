"""`NAME = EXPR`: gives names of the session values."""

import numpy as np

from ...diagnostics import KEPT_RANGE
from ...lowering.failures import failure
from ...program import Bind
from ..execution.execution import Execution
from ..execution.kept import Kept


def execute(run: Execution, statement: Bind) -> None:
    fetched = run.fetch(statement.values, statement.feeds, statement.origin)
    values = [run.value(value, fetched, statement.origin) for value in statement.values]
    for name, value, dtype in zip(statement.names, values, statement.dtypes, strict=True):
        run.context.kept[name] = Kept({"": _converted(statement, name, value, dtype) if dtype else value})


def _converted(statement: Bind, name: str, value: object, dtype: str) -> np.ndarray:
    """Numbers as those of the dtype that a name keeps. Whole numbers must be in its range."""
    with np.errstate(over="ignore"):  # infinite in float32
        found = np.asarray(value)
        result = found.astype(dtype)
    if result.dtype.kind in "iu" and (wrong := found[result != found]).size:
        raise failure(KEPT_RANGE, statement.origin, name=name, value=int(wrong.flat[0]), dtype=dtype)
    return result
