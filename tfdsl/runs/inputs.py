"""What a run reads: the texts of its program, and its data."""

import glob
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import NotRequired, Protocol, TypedDict

from ..access import AccessRefused
from ..data.declaration import is_path, source_of
from ..data.overview import call
from ..data.schema import DataError
from ..data.sources.base import FileSource
from ..data.stage import written_whole
from ..data.transforms import TRANSFORMS
from ..diagnostics import TfgError
from ..limits import Limits
from ..ops.named import STORED
from ..program import Data, Train, walk
from ..runtime.checkpoint.identity import digest
from ..runtime.program import RunnableProgram
from ..runtime.result import plain
from ..source import Source
from .file_digests import FileDigest, FileDigests


class RecordedProgram(RunnableProgram, Protocol):
    """A compiled program, and what its caller gave."""

    @property
    def texts(self) -> Mapping[str, str]: ...  # of imported files, by their paths

    @property
    def origins(self) -> Mapping[str, str]: ...  # of given params: where each value comes from

    @property
    def replaced(self) -> Mapping[str, object]: ...  # what replaces data of the program

    @property
    def limits(self) -> Limits: ...  # under which it was compiled

    @property
    def has_outside(self) -> bool: ...  # whether its text uses names or functions from outside


def texts(compiled: RecordedProgram) -> dict[str, str]:
    """The text of the program and of the files that it imports, by their full paths. The program comes first."""
    main: Source = compiled.program.sessions[0].origin.span.source
    return {
        os.path.abspath(path): text for path, text in ((main.path, main.text), *compiled.texts.items())
    }  # fmt: skip


def params(compiled: RecordedProgram) -> dict[str, object]:
    """The effective params, and where each comes from."""
    return {
        param.name: {
            "value": plain(param.value), "type": param.type, "from": compiled.origins.get(param.name, "default"),
        }
        for param in compiled.program.params
    }  # fmt: skip


def seeds(compiled: RecordedProgram) -> dict[str, object]:
    """The seeds of graphs, data and trainings."""
    program = compiled.program
    trainings = [one for session in program.sessions for one in walk(session.body) if isinstance(one, Train)]
    stages = {data.name: [data.source, *data.transforms] for data in program.data}
    return {
        "graphs": {graph.name: graph.seed for graph in program.graphs},
        "data": {
            name: {stage.name: plain(stage.arguments["seed"]) for stage in found if "seed" in stage.arguments}
            for name, found in stages.items()
        },
        "trainings": [
            {"line": one.origin.span.line, "order": one.order, "seed": one.seed} for one in trainings if one.data
        ],
    }  # fmt: skip


def limits(compiled: RecordedProgram) -> dict[str, object]:
    """The limits of the compiler, by their names."""
    return {name: getattr(compiled.limits, name) for name in Limits.__match_args__}


class DataFacts(TypedDict):
    """A data set in a record. What was not loaded has the facts of its declaration only."""

    declared: str
    given: str | None
    folder: str
    files: list[FileDigest]
    rows: NotRequired[int]
    parts: NotRequired[dict[str, int]]
    decided: NotRequired[dict[str, str]]
    columns: NotRequired[list[dict[str, object]]]
    synthetic: NotRequired[bool]
    sha256: NotRequired[str]


class RunInputs:
    """The files that a run reads, whose digests are computed beside it."""

    def __init__(self, compiled: RecordedProgram):
        self._compiled = compiled
        self._digests = FileDigests()
        self._of_data = {data.name: self._digests.add(self._data_files(data)) for data in compiled.program.data}
        self._others: dict[str, list[str]] = {}
        if arrays := list(dict.fromkeys(self._stored())):
            self._others["arrays"] = self._digests.add(arrays)
        for data in compiled.program.data:
            for step in data.transforms:
                if TRANSFORMS[step.name].takes_data and step.arguments["name"] is not None:
                    self.add_checkpoint(str(step.arguments["data"]))

    def add_checkpoint(self, path: str) -> None:
        """Add the files of a checkpoint that the run reads, unless the run has written them itself."""
        if path not in self._others:
            found = [one for one in sorted(glob.glob(f"{glob.escape(path)}*")) if os.path.isfile(one)]
            self._others[path] = self._digests.add(found)

    def data(self) -> dict[str, DataFacts]:
        """The data sets, and what was decided of those that were loaded."""
        return {data.name: self._data(data) for data in self._compiled.program.data}

    def others(self) -> dict[str, list[FileDigest]]:
        """Other files, by what they are: arrays, or the path of a checkpoint."""
        return {name: list(map(self._digests.value, paths)) for name, paths in self._others.items()}

    def _data(self, data: Data) -> DataFacts:
        replacement = self._compiled.replaced.get(data.name)
        about: DataFacts = {
            "declared": " | ".join([_source(data), *(call(one.name, one.arguments) for one in data.transforms)]),
            "given": _given(replacement),
            "folder": os.path.abspath(data.folder),
            "files": list(map(self._digests.value, self._of_data[data.name])),
        }
        if data.name not in self._compiled.datasets:
            return about
        dataset, pipeline = self._compiled.datasets[data.name], self._compiled.pipeline(data.name)
        schema = dataset.schema
        about.update({
            "rows": schema.rows, "parts": dict(schema.parts), "decided": dict(pipeline.opened.decided),
            "columns": [
                {"name": one.name, "dtype": one.dtype.name, "shape": list(one.shape), "role": one.role}
                for one in schema.table
            ],
            "synthetic": dataset.synthetic,
        })  # fmt: skip
        if not schema.streamed:  # its files have digests
            with suppress(DataError, TfgError, OSError):
                about["sha256"] = digest(dataset)
        return about

    def _data_files(self, data: Data) -> Iterator[str]:
        """The files of a data set, if it is in files."""
        replacement = self._compiled.replaced.get(data.name)
        if replacement is not None and not is_path(replacement):
            return
        with suppress(DataError, AccessRefused, OSError, TfgError):  # the run reports them
            source, arguments, where = source_of(data, replacement, self._compiled.access)
            if isinstance(source, FileSource):
                yield from (os.path.join(where.folder, path) for path in source.files(arguments, where))

    def _stored(self) -> Iterator[str]:
        """The files of arrays that are constants of the graph."""
        for graph in self._compiled.program.graphs:
            for node in graph.nodes_of(STORED):
                yield os.path.join(os.path.dirname(node.origin.span.source.path), node.text("from"))


def _given(replacement: object) -> str | None:
    """The path that replaces the source of data, or that Python does. Frames and arrays have no truth value."""
    if replacement is None:
        return None
    return os.fspath(replacement) if is_path(replacement) else "Python"


def _source(data: Data) -> str:
    given = [f"{name}={written_whole(value)}" for name, value in data.source.arguments.items() if value is not None]
    return f"{data.source.name}({', '.join(given)})"
