"""What the sessions of a run share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..access import Access
from ..data.learned import Fitted
from ..data.shares import Readable
from ..program import Field
from .cluster.async_training import AsyncWorker
from .execution.cluster_session import Servers
from .options import Options
from .result import Result


def _unreadable(name: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class RunContext:
    """`arrays` returns the data of the program, `learned` what its data sets have learned, and `fitted` what one of
    them has. `access` opens its files. `servers` are those of its cluster, and `worker` is this process's part in
    asynchronous trainings. `readable` returns how other processes can read a data set. `rows` has the numbers of rows
    that the check has found."""

    options: Options
    result: Result
    arrays: Callable[[Field], np.ndarray]
    learned: Callable[[], Mapping[str, Fitted]]
    fitted: Callable[[str], Fitted]
    access: Access
    servers: Servers | None = None
    worker: AsyncWorker | None = None
    readable: Callable[[str], Readable | None] = _unreadable
    rows: Mapping[str, int] = field(default_factory=dict)
