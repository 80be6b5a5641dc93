"""The result of a run: printed lines, values, logged scalars, and the data that it used."""

import os
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..diagnostics.spelling import did_you_mean, listed
from ..program import Param
from .files.event_log import LogFile


class Interrupted(Exception):
    """The run was asked to stop. Everything written so far is complete."""


class Variables(dict[str, np.ndarray]):
    """Values of variables by their names in TensorFlow, `head/dense/kernel`, which can also be read by their names in
    the program: `variables["head.dense.kernel"]`."""

    def __missing__(self, name: str) -> np.ndarray:
        written = {one.replace("/", "."): one for one in self}
        if (own := written.get(name.replace("/", "."))) is not None:
            return self[own]
        near = did_you_mean(name, [*self, *written]) or f"there are {listed(list(self)) or 'none'}"
        raise KeyError(f"there is no variable {name!r}; {near}")


@dataclass(slots=True)
class DataUsed:
    """A data set of the run: where it came from, and whether it replaces another one."""

    origin: str
    rows: int
    columns: int
    synthetic: bool


@dataclass(slots=True)
class Result:
    """The outcome of running a program's sessions.

    `values` has the last value of every printed expression by its text in the program, `history` the (step, value)
    pairs of every logged scalar by its tag, and `steps` the number of training steps. A resumed run has the history
    and the steps from the start, but only the lines printed since it resumed. `variables` has the value of every
    variable at the end of its session, including those of optimizers, by its name in TensorFlow (`loss/w`;
    `other.loss/w` for a named graph), or in the program (`loss.w`). `Compiled.session` can start from them.
    `session_values` has the last value of every name that got a value in a session, or a dict of values if it names
    an `evaluate` of several.
    """

    program: str
    params: dict[str, object]
    printed: list[str] = field(default_factory=list)
    values: dict[str, object] = field(default_factory=dict)
    history: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    variables: Variables = field(default_factory=Variables)
    session_values: dict[str, object] = field(default_factory=dict)
    data: dict[str, DataUsed] = field(default_factory=dict)
    logdirs: list[str] = field(default_factory=list)
    saved: list[str] = field(default_factory=list)
    resumed: list[str] = field(default_factory=list)
    records: list[str] = field(default_factory=list)  # the folder of the record, if there is one
    events: list[LogFile] = field(default_factory=list)  # the written files
    run: str = field(default_factory=lambda: os.urandom(4).hex())  # the id of the run, which a resumed run keeps
    started: float = field(default_factory=time.time)  # seconds since 1970
    engines: list[str] = field(default_factory=list)  # of each training, in the order in which they ran
    op_determinism: list[str] = field(default_factory=list)  # of each session in order: on or off
    steps: int = 0
    expectations: int = 0
    interrupted: bool = False
    versions: dict[str, str] = field(default_factory=dict)
    declared: tuple[Param, ...] = ()  # the params with their types

    def to_json(self) -> dict[str, Any]:  # of which callers take parts
        """Plain values for `json.dumps`."""
        return {
            "program": self.program,
            "params": plain(self.params),
            "printed": self.printed,
            "values": plain(self.values),
            "history": {tag: [list(pair) for pair in pairs] for tag, pairs in self.history.items()},
            "data": {
                name: {"origin": d.origin, "rows": d.rows, "columns": d.columns, "synthetic": d.synthetic}
                for name, d in self.data.items()
            },
            "logdirs": self.logdirs,
            "saved": self.saved,
            "resumed": self.resumed,
            "records": self.records,
            "engines": self.engines,
            "op_determinism": self.op_determinism,
            "started": self.started,
            "steps": self.steps,
            "expectations": self.expectations,
            "interrupted": self.interrupted,
            "versions": self.versions,
        }


def plain(value: object) -> object:
    """A value as plain JSON."""
    match value:
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case np.ndarray() | np.generic():
            return plain(value.tolist())
        case bytes():
            return value.decode("utf-8", "backslashreplace")
        case float() if value != value or value in (float("inf"), float("-inf")):
            return str(value)  # JSON has no NaN and no infinity
        case bool() | int() | float() | str() | None:
            return value
        case _:
            return str(value)
