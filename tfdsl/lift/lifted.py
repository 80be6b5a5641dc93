"""The result of lifting a graph."""

import numpy as np

from ..limits import Limits
from ..record import Record
from ..source import Source
from ..syntax.format import format_text
from .graph import Endpoint

# The limits are for programs that others wrote. The size of a lifted program follows from its graph.
_WRITTEN_HERE = Limits(constant=10**12, file=10**12, seconds=float("inf"))


class Lifted(Record):
    """A lifted program: its source, the arrays for the file beside it, and notes for the user.

    `correspondence` maps each tensor or operation of the graph that the program has to its name in the program. An
    operation that the program does not name is mapped to `^` and the name of its node. An exact program has a line for
    each node. `restores` is true if a session of the program reads the checkpoint of the graph, and `keeps_names` is
    false if its variables may have other names than in the graph.
    """

    source: str
    arrays: dict[str, np.ndarray]
    correspondence: dict[Endpoint, str]
    notes: tuple[str, ...]
    is_exact: bool = False
    restores: bool = False
    keeps_names: bool = True


def formatted(text: str) -> str:
    """The text of a program, formatted. Raises `TfgError` if it does not parse."""
    return format_text(Source("lifted", text), _WRITTEN_HERE)
