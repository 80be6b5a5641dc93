"""`write`: values in a file."""

import numpy as np

from ...access import AccessRefused
from ...data.outputs import OUTPUTS, output_suffixes, suffix_of
from ...data.schema import DataError
from ...diagnostics import WRITE_EXISTS, WRITE_FAILED, WRITE_NOTHING, WRITE_ONE, WRITE_ROWS, WRITE_SUFFIX
from ...diagnostics.spelling import counted, listed, near_suffix
from ...lowering.failures import failure, reason_of
from ...program import Origin, Write
from ..execution.execution import Execution
from ..files.written import NotWritten, replacing


def execute(run: Execution, statement: Write) -> None:
    origin = statement.origin
    fetched = run.fetch(statement.uses().values, statement.feeds, origin)
    path = run.text(statement.path)
    values = {item.text: _array(item.text, run.value(item.value, fetched, origin), origin) for item in statement.items}
    _check_rows(values, origin)
    if not run.is_unprinted(statement, run.step):
        return
    name = suffix_of(path)
    if name not in OUTPUTS:
        known = output_suffixes()
        raise failure(WRITE_SUFFIX, origin, help=near_suffix(path, known), path=path, suffixes=listed(known))
    kind = OUTPUTS[name]
    if kind.takes_one and len(values) != 1:
        raise failure(WRITE_ONE, origin, path=path, count=len(values))
    try:
        with replacing(path, run.access, run.options.overwrite) as file:
            output = kind(file)
            output.add(values)
            output.finish()
    except NotWritten:
        raise failure(WRITE_EXISTS, origin, path=path) from None
    except DataError as error:
        raise failure(error.message, origin, **error.details) from None
    except AccessRefused as error:
        raise failure(error.message, origin, **error.details) from None
    except OSError as error:
        raise failure(WRITE_FAILED, origin, path=path, reason=reason_of(error)) from error
    run.result.saved.append(path)


def _array(name: str, value: object, origin: Origin) -> np.ndarray:
    """A value with a row axis. A single number or text has one row."""
    try:
        array = np.asarray(value)
    except ValueError:  # lists of different lengths
        raise failure(WRITE_NOTHING, origin, name=name) from None
    if array.dtype.kind == "O" and not all(isinstance(one, (str, bytes)) for one in array.flat):
        raise failure(WRITE_NOTHING, origin, name=name)
    return array if array.shape else array.reshape(1)


def _check_rows(values: dict[str, np.ndarray], origin: Origin) -> None:
    (first, array), *others = values.items()
    for name, other in others:
        if len(other) != len(array):
            counts = [counted(len(one), "row") for one in (other, array)]
            raise failure(WRITE_ROWS, origin, name=name, rows=counts[0], other=first, other_rows=counts[1])
