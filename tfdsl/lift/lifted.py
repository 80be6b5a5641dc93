"""What lifting a graph gives."""

import numpy as np

from ..record import Record
from .graph import Endpoint


class Lifted(Record):
    """A lifted program: its source, the arrays beside it, what its names stand for in the graph, and what to know.

    `correspondence` has the name, in the program, of each tensor or operation of the graph that the program has.
    Of an operation that the program does not name, it has the name of its node, after a `^`.
    """

    source: str
    arrays: dict[str, np.ndarray]
    correspondence: dict[Endpoint, str]
    notes: tuple[str, ...]
