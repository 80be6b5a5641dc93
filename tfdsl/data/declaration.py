"""The front end's view of a data declaration.

Input: a declaration with known arguments, and the replacement of its source, if any. Output: the `Pipeline` of the
data, which knows its schema.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeGuard

from ..access import Access, access_of
from ..diagnostics import CSV_NO_HEADER, CSV_SEPARATOR
from ..limits import Clock
from ..record import Record, replace
from ..types import STRING
from .learned import Fitted
from .pipeline import Learner, Pipeline
from .schema import DataError, Schema, at_stage
from .sources import SOURCES, formats_named, of_file
from .sources.base import DataSource, FileSource, OpenedData, TableSource, Where
from .stage import Arguments, DataSpec, StageSpec
from .transforms import TRANSFORMS

# The orders in which training visits the rows; `batches.py` defines them exactly.
ORDERS: dict[str, str] = {
    "shuffled": "a new permutation of the rows each epoch; the short last batch is kept",
    "ordered": "the rows as they are; the short last batch is kept",
    "sampled": "rows drawn with replacement, every batch of full size",
}


_NONE: Mapping[str, Learner] = {}
Opening = Callable[[DataSource, dict[str, object], Where], OpenedData]


def pipeline_of(
    spec: DataSpec, replacement: object = None, access: Access | None = None, clock: Clock | None = None,
    others: Mapping[str, Learner] = _NONE, all_kinds: bool = False, opening: "Opening | None" = None,
) -> Pipeline:  # fmt: skip
    """Declared data, with its arguments checked and its schemas known. `replacement` replaces the source: a path or
    Python data. `others` are the data sets that the declaration may name.

    `access` opens the paths that the program names; by default, paths in the folder of the declaration and the
    working folder. `clock` limits the time of reading. With `all_kinds` there may be columns that are neither numbers
    nor text. `opening` opens the source in place of its own method, or returns it as it was opened before.
    """
    with at_stage(0):
        if replacement is None or is_path(replacement):
            source, arguments, where = source_of(spec, replacement, access)
            with formats_named(source, arguments, where, is_declared=replacement is None):
                if opening is None:
                    opened = source.open(arguments, replace(where, clock=clock))
                else:
                    opened = opening(source, arguments, where)
        else:
            source = SOURCES[spec.source.name]
            target = source.bound(spec.source.arguments).get("target")
            names = target if isinstance(target, tuple) else (target,)
            usual = [name for name in (source.target_name, "target") if name is not None]
            from . import given

            opened = given.opened(spec.name, replacement, [name for name in names if isinstance(name, str)], usual)
    made = Pipeline(spec, opened, others, Where("", access or _own(spec), clock))
    if not all_kinds:
        made.check_kinds()
    return made


class _NewRows(Record):
    """A declaration of rows that are transformed with what a data set has learned."""

    name: str
    source: StageSpec
    transforms: tuple[StageSpec, ...]
    folder: str


class _NewStage(Record):
    name: str
    arguments: Arguments


class _Taught(Record):
    """What a data set has learned, in its place."""

    learned: Fitted

    def fitted(self) -> Fitted:
        return self.learned


def new_rows(spec: DataSpec, path: str, learned: Fitted, access: Access) -> Pipeline:
    """The rows of another file in place of a declared source, transformed with what the data has learned. They are
    streamed, and the target may lack."""
    with at_stage(0), _with_names(learned):
        where = Where("", access)
        source = SOURCES[spec.source.name]
        file = of_file(path, where, source)
        params = {param.name for param in file.params}
        given = {
            name: value
            for name, value in source.bound(spec.source.arguments).items()
            if name in params and name not in ("target", "stream", "path")
        }
        given |= {"path": path} | ({"stream": True} if isinstance(file, TableSource) else {})
        with formats_named(file, given, where, is_declared=False):
            opened = _opened_rows(file, given, learned, where)
    steps = (_NewStage(step, {"data": spec.name, "name": None}) for step, one in TRANSFORMS.items() if one.takes_data)
    declared = _NewRows(spec.name, _NewStage(file.name, given), tuple(steps), "")
    return Pipeline(declared, opened, {spec.name: _Taught(learned)}, where, declared=False)


def _opened_rows(file: FileSource, given: dict[str, object], learned: Fitted, where: Where) -> OpenedData:
    """A file of new rows. Columns that were text stay text, and so do numbers that float64 cannot hold."""
    if isinstance(file, TableSource) and "columns" in {param.name for param in file.params}:
        dtypes = given.get("columns")
        said = [one for one in dtypes if isinstance(one, tuple)] if isinstance(dtypes, tuple) else []
        said += [  # text in which all cells of the file may be numbers
            (one.name, one.dtype.name)
            for one in learned.source.table
            if one.dtype == STRING and one.name not in [name for name, _ in said]
        ]
        known = file.columns(file.bound({**given, "columns": None}), where)  # it may lack some
        given["columns"] = tuple(one for one in said if one[0] in known) or None
    opened = file.open(file.bound(given), where)
    if "columns" in given and (rounded := [name for name in opened.rounded if name in learned.passed()]):
        # They only pass through, so their text is as good.
        said = given["columns"] if isinstance(given["columns"], tuple) else ()
        opened = file.open(file.bound({**given, "columns": (*said, *((name, STRING.name) for name in rounded))}), where)
    return opened


@contextmanager
def _with_names(learned: Fitted) -> Iterator[None]:
    """Say of a file how it must be written: the program says how it is read."""
    try:
        yield
    except DataError as error:
        if error.message is CSV_NO_HEADER:
            names = [one.name for one in learned.source.table if one.name not in learned.passed()]
            error.details["way"] = f"write a line with the names of its columns above it, such as {','.join(names)}"
        if error.message is CSV_SEPARATOR:
            error.details["way"] = f"write {error.details['separator']} between the cells, as the program says"
        raise


def named_data(spec: DataSpec) -> Iterator[str]:
    """The data sets that a declaration names."""
    for step in spec.transforms:
        if TRANSFORMS[step.name].takes_data and step.arguments["name"] is None:
            yield str(step.arguments["data"])


def schema_of(
    spec: DataSpec, replacement: object = None, access: Access | None = None, clock: Clock | None = None
) -> Schema:
    """The schema of declared data."""
    return pipeline_of(spec, replacement, access, clock).schema


def scaled_by(spec: DataSpec) -> tuple[object, ...] | None:
    """A key for the scaling of data, equal for equal scaling. None if the data is not scaled."""
    steps = [(step.name, dict(step.arguments)) for step in spec.transforms]
    learning = [at for at, (name, _) in enumerate(steps) if TRANSFORMS[name].learns]
    if not learning:
        return None
    if not any(TRANSFORMS[name].divides for name, _ in steps):
        steps = steps[: learning[-1] + 1]
    return spec.folder, spec.source.name, dict(spec.source.arguments), steps


def rows_by(spec: DataSpec, part: str) -> tuple[object, ...]:
    """A key for the rows of data, or of a part of it, and their order."""
    kinds = [(TRANSFORMS[step.name], step) for step in spec.transforms]
    steps = [
        (step.name, dict(step.arguments))
        for kind, step in kinds
        if kind.remakes_rows or (kind.of_rows and (part or not kind.divides))
    ]
    return spec.folder, spec.source.name, dict(spec.source.arguments), steps


def _own(spec: DataSpec) -> Access:
    """The access to the folder of a declaration."""
    return Access(os.path.join(spec.folder, ""))


def is_path(replacement: object) -> TypeGuard[str | os.PathLike[str]]:
    return isinstance(replacement, (str, os.PathLike))


def source_of(
    spec: DataSpec, replacement: object, access: Access | None = None
) -> tuple[DataSource, dict[str, object], Where]:
    """The source and its arguments, or the file that replaces it with the file's arguments, and the base of its
    paths.

    A replacing path comes from the command line and is relative to the working folder.
    """
    source = SOURCES[spec.source.name]
    arguments = source.bound(spec.source.arguments)
    if not is_path(replacement):
        return source, arguments, Where(spec.folder, access or _own(spec))
    path, where = os.fspath(replacement), Where("", access_of(replacement))
    file = of_file(path, where, source)
    params = {param.name for param in file.params}
    given = {name: value for name, value in arguments.items() if name in params} | {"path": path}
    if isinstance(file, TableSource) and "target" not in given:
        with formats_named(file, given, where, is_declared=False):
            given["target"] = _target(file.columns(file.bound(given), where), source)
    return file, file.bound(given), where


def _target(columns: tuple[str, ...], replaced: DataSource) -> str:
    """The target column of a file that replaces a source without a `target` argument."""
    return next((name for name in (replaced.target_name, "target") if name in columns), columns[-1])
