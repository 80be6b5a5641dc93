"""What the runtime needs of a compiled program. `Compiled`, in the driver, is one."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from ..access import Access
from ..cluster import Cluster
from ..data.arrays import Dataset
from ..data.learned import Fitted
from ..data.pipeline import Pipeline
from ..data.shares import Readable
from ..lowering.built import BuiltGraph
from ..program import Field, Program


class Machines(Protocol):
    """The servers that run a program, if there are any, the number of the worker that this process is, the number of
    towers, and that of the parts into which an optimizer step splits its batch."""

    @property
    def cluster(self) -> Cluster | None: ...

    @property
    def worker(self) -> int | None: ...

    @property
    def towers(self) -> int: ...

    @property
    def parts(self) -> int: ...

    @property
    def soft_placement(self) -> bool: ...

    @property
    def placement(self) -> str: ...


class RunnableProgram(Protocol):
    """A program with its data and its graphs, which are loaded and built when they are first needed."""

    @property
    def program(self) -> Program: ...

    @property
    def access(self) -> Access: ...

    @property
    def devices(self) -> Machines: ...

    @property
    def datasets(self) -> Mapping[str, Dataset]: ...

    def dataset(self, name: str) -> Dataset: ...

    def fitted(self, name: str) -> Fitted: ...

    def pipeline(self, name: str) -> Pipeline: ...

    def readable(self, name: str) -> Readable | None: ...

    def learned(self) -> Mapping[str, Fitted]: ...

    def array(self, field: Field) -> np.ndarray: ...

    def built(self, graph: str = "") -> BuiltGraph: ...
