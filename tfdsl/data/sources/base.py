"""Defines a source of data.

Input: the arguments of a declaration, and the base of its paths. Output: the schema, known without NumPy and
without the libraries that read the data; and the data as a `Table`. `tfdsl check` imports the modules of sources,
so they import NumPy and similar libraries inside functions.
"""

import glob
import os
import re
import stat
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from itertools import takewhile
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from ...access import Access, AccessRefused, Folder
from ...diagnostics import (
    COLUMN_TWICE,
    CSV_COLUMN_TYPO,
    CSV_NO_COLUMN,
    DATA_FILE,
    DATA_FOLDER,
    DATA_NO_MATCH,
    DIGITS_LOST,
    FILE_FORM,
    ONLY_TARGET,
)
from ...diagnostics.spelling import alternatives, nearest
from ...limits import Clock
from ...record import Record, replace
from ..advice import columns_with
from ..schema import Column, DataError, FilePlace, Schema, composed, listed, shown, shown_path
from ..stage import Arguments, StageKind

if TYPE_CHECKING:
    import numpy as np

    from ..tables import ColumnSource

    Choose = Callable[[list[np.ndarray]], list[np.ndarray]]  # some rows of a block of columns


FileForm: TypeAlias = Mapping[str, Any]  # plain JSON that the source itself has made


class Where(Record):
    """The base of the paths of data, and the object that opens them."""

    folder: str
    access: Access
    clock: Clock | None = None  # of the check that reads


class SourceFiles(Record):
    """The files that rows come from, and how a process that has them too reads the same cells: the source by its name,
    the full paths in order, and the rows of each. `form` is plain JSON: what the program says about the files, and what
    was found in them."""

    source: str
    paths: tuple[str, ...]
    rows: tuple[int, ...]
    form: FileForm


class OpenedData(Record):
    """Data whose schema is known. `source` reads its columns. `first_text` finds the place and the text of the first
    cell of a text column that is no number, and `texts` has all different ones of a column. `is_in_graph` is false if
    its columns are made of files of their own. `rounded` has the columns with whole numbers that float64 cannot hold,
    beside missing cells or fractions, each with such a number. `files` are those that another process can
    read, if there are any."""

    schema: Schema
    source: "Callable[[], ColumnSource]"
    first_text: "Callable[[str], tuple[FilePlace, str] | None] | None" = None
    texts: "Callable[[str], Sequence[str]] | None" = None
    decided: Sequence[tuple[str, str]] = ()  # what was decided while reading, for people
    doubts: Sequence[DataError] = ()  # warnings
    is_in_graph: bool = True
    rounded: Mapping[str, str] = MappingProxyType({})
    files: SourceFiles | None = None


class DataSource(StageKind):
    """A source of data. `target_name` is the name of the target in a source that is not a file. `numbers_classes` says
    whether it can number the names of classes, which a model keeps."""

    target_name: str | None = None
    numbers_classes = False

    @abstractmethod
    def open(self, arguments: Arguments, where: Where) -> OpenedData:
        """The data. Checks every argument."""


class SmallSet(DataSource):
    """A data set of scikit-learn, whose loader has the same name."""

    target_name = "target"

    def __init__(self, name: str, doc: str, schema: Schema):
        self.name, self.doc, self._schema = name, doc, schema
        self.example = f"data {name} = {name}()"

    def open(self, arguments: Arguments, where: Where) -> OpenedData:
        def load() -> "ColumnSource":
            from sklearn import datasets

            from ..tables import held

            features, target = getattr(datasets, f"load_{self.name}")(return_X_y=True)
            targets = tuple(column.name for column in self._schema.targets)
            return held(self._schema.names, features, target, self.name, *targets)

        return OpenedData(self._schema, load)


class FileSource(DataSource):
    """A file. If its name ends in one of `suffixes`, it can also replace another source (`--data`). So `path` is the
    only argument that a file source can require. `takes_pattern` says whether it may be a pattern for several
    files, and `takes_folder` whether it may be a folder, whose files are read. `kind` is such a file in a message.
    Files that are not text match `begins`."""

    suffixes: tuple[str, ...]
    kind: str
    begins: re.Pattern[bytes] | None = None
    takes_pattern = True
    takes_folder = False

    def path(self, arguments: Arguments) -> str:
        path = arguments["path"]
        if not isinstance(path, str):
            self.refuse(arguments, "path", "a string")
        return path

    def files(self, arguments: Arguments, where: Where) -> list[str]:
        """The files that the argument `path` stands for."""
        path = self.path(arguments)
        if is_folder(path, where):
            found = files_in(path, where, self.suffixes) if self.takes_folder else []
            if not found:
                raise folder_named(path, where, self.suffixes, self.takes_pattern)
            return found
        return matching(path, where) if self.takes_pattern else [path]

    def targets(self, arguments: Arguments) -> tuple[str, ...]:
        target = arguments["target"]
        names: tuple[object, ...] = target if isinstance(target, tuple) else () if target is None else (target,)
        texts = tuple(composed(name) for name in names if isinstance(name, str))
        if len(texts) < len(names) or len(set(texts)) < len(texts) or target == ():
            self.refuse(arguments, "target", 'the name of a column, or names such as ["a", "b"]')
        return texts


class TableSource(FileSource):
    """A file with named columns. The argument `target` names one of them, or several; `stream` keeps the rows on
    disk."""

    @abstractmethod
    def columns(self, arguments: Arguments, where: Where) -> tuple[str, ...]:
        """The names of all columns."""

    @abstractmethod
    def again(self, paths: Sequence[str], form: FileForm, where: Where, choose: "Choose") -> "ColumnSource":
        """The rows of files whose form is known that `choose` returns of each block."""

    def stream(self, arguments: Arguments) -> bool:
        stream = arguments["stream"]
        if not isinstance(stream, bool):
            self.refuse(arguments, "stream", "true or false")
        return stream


def with_targets(columns: Sequence[Column], targets: Sequence[str], place: FilePlace) -> tuple[Column, ...]:
    """The columns of a file, some of which are targets. Names must be unique, and not all can be targets."""
    names = [column.name for column in columns]
    if len(set(names)) < len(names):
        twice = next(name for at, name in enumerate(names) if name in names[:at])
        raise DataError(COLUMN_TWICE, place=place, column=shown(twice))
    for target in targets:
        if target not in names:
            raise no_column(target, names, place, "target")
    if len(targets) == len(names):
        raise DataError(ONLY_TARGET, place=place, param="target", column=" and ".join(map(shown, targets)))
    places = {name: place for place, name in enumerate(targets)}
    return tuple(
        replace(column, role="target", place=places[column.name]) if column.name in places else column
        for column in columns
    )


def digits_lost(rounded: Mapping[str, str], path: str, arguments: Arguments) -> tuple[DataError, ...]:
    """Warnings of columns with whole numbers that float64 cannot hold."""
    way = "write them as text in the file, if they are names of something"
    return tuple(
        DataError(DIGITS_LOST, place=FilePlace(path), column=shown(name), number=number, rounded=f"{float(number):.0f}",
                  way=columns_with({name: "string"}, arguments) if "columns" in arguments else way)
        for name, number in rounded.items()
    )  # fmt: skip


def no_column(name: str, names: Sequence[str], place: FilePlace | None, param: str) -> DataError:
    """The error for a column that does not exist."""
    if close := nearest(name, names):
        return DataError(CSV_COLUMN_TYPO, place=place, param=param, column=shown(name), close=shown(close))
    return DataError(CSV_NO_COLUMN, place=place, param=param, column=shown(name), columns=listed(names), way="")


def matching(path: str, where: Where) -> list[str]:
    """The files that a path with `*`, `?` or `[` stands for, in the order of their names. Other paths as they are, and
    the path of a file that has such a name."""
    parts = path.split("/")
    if not any(_WILD.search(part) for part in parts):
        return [path]
    with suppress(DataError), open_file(path, where):
        return [path]
    fixed = list(takewhile(lambda part: not _WILD.search(part), parts))
    found, below = list[str](), list[str]()
    try:
        where.access.check(path, where.folder)
        with where.access.folder("/".join(fixed) or ("/" if path.startswith("/") else "."), where.folder) as folder:
            _match(folder, parts[len(fixed) :], fixed, found)
            if not found:
                _match(folder, [*filter(None, parts[len(fixed) :]), "*"], fixed, below)
    except AccessRefused as error:
        raise DataError(error.message, param="path", **error.details) from None
    except OSError as error:
        raise _unopened(path, where, error) from None
    if not found:
        folder, deeper = shown(os.path.abspath(where.folder)), f"{path.rstrip('/')}/*"
        way = f"folders match it: name the files in them, as in {shown(deeper + _suffix(below[0]))}" if below else ""
        raise DataError(DATA_NO_MATCH, param="path", path=shown_path(path), folder=folder, way=way)
    return found


def _match(folder: Folder, parts: Sequence[str], before: Sequence[str], found: list[str]) -> None:
    for name in folder.names():
        status = folder.stat(name)
        if status is None or not fnmatchcase(name, parts[0]) or (name.startswith(".") and not parts[0].startswith(".")):
            continue
        if len(parts) == 1 and stat.S_ISREG(status.st_mode):
            found.append("/".join([*before, name]))
        elif len(parts) > 1 and stat.S_ISDIR(status.st_mode):
            with folder.folder(name) as inner:
                _match(inner, parts[1:], [*before, name], found)


def is_folder(path: str, where: Where) -> bool:
    if not path:
        return False
    with suppress(AccessRefused, OSError, ValueError), where.access.folder(path, where.folder):
        return True
    return False


def files_in(path: str, where: Where, suffixes: Collection[str]) -> list[str]:
    """The files of a folder that end in one of some suffixes, in the order of their names, or else such files in its
    subfolders. None if it has both, because either could be meant."""
    base = path.rstrip("/") or "/"
    with where.access.folder(path, where.folder) as folder:
        own, inner = list[str](), list[str]()
        _collect(folder, base, suffixes, own)
        for name in folder.names():
            status = folder.stat(name)
            if status is not None and stat.S_ISDIR(status.st_mode) and not name.startswith("."):
                with suppress(OSError), folder.folder(name) as below:
                    _collect(below, os.path.join(base, name), suffixes, inner)
    return [] if own and inner else own or inner


def _collect(folder: Folder, path: str, suffixes: Collection[str], found: list[str]) -> None:
    for name in folder.names():
        status = folder.stat(name)
        if status is not None and stat.S_ISREG(status.st_mode) and _suffix(name).lower() in suffixes:
            found += [] if name.startswith(".") else [os.path.join(path, name)]


def folder_named(path: str, where: Where, suffixes: Collection[str], takes_pattern: bool = True) -> DataError:
    """The error for a folder in the place of its files, whose names end in one of `suffixes`."""
    with where.access.folder(path, where.folder) as folder:
        counts = Counter(_files_below(folder, suffixes))
    base = glob.escape(path.rstrip("/")) or "/"
    (inner, suffix), _ = max(counts.items(), key=lambda one: one[1], default=(("", ""), 0))
    if not takes_pattern:
        way = "name one of the files in it"
    elif suffix:
        way = f"name its files by a pattern: {shown(os.path.join(base, inner, f'*{suffix}'))}"
    else:
        way = f"it has no files whose names end in {alternatives(suffixes)}"
    return DataError(DATA_FOLDER, param="path", path=shown_path(path), way=way)


def suffixes_below(path: str, where: Where, suffixes: Collection[str]) -> set[str]:
    """Which of some suffixes the files of a folder and of its subfolders have."""
    with where.access.folder(path, where.folder) as folder:
        return {suffix.lower() for _, suffix in _files_below(folder, suffixes)}


def _files_below(folder: Folder, suffixes: Collection[str], inner: str = "") -> Iterator[tuple[str, str]]:
    """The files of a folder and of the folders in it that end in one of some suffixes: "" or "*", and the suffix as it
    is written."""
    for name in folder.names():
        status = folder.stat(name)
        suffix = _suffix(name)
        if status is None or name.startswith("."):
            continue
        if stat.S_ISREG(status.st_mode) and suffix.lower() in suffixes:
            yield inner, suffix
        elif stat.S_ISDIR(status.st_mode) and not inner:
            with suppress(OSError), folder.folder(name) as below:
                yield from _files_below(below, suffixes, "*")


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1]


def full_path(path: str, where: Where) -> str:
    """A path that means the same file in every folder."""
    return os.path.abspath(os.path.join(where.folder, path))


def unreadable(path: str, kind: str, reason: str, remedy: str) -> DataError:
    """The error for a damaged file, or a file that is not of a kind such as "a Parquet file". The remedy makes one."""
    return DataError(FILE_FORM, param="path", path=shown_path(path), kind=kind, reason=reason, remedy=remedy)


def open_file(path: str, where: Where) -> BinaryIO:
    """Open a regular file. Reading a pipe or another special file could block the compiler forever."""
    try:
        return where.access.reading(path, where.folder)
    except AccessRefused as error:
        raise DataError(error.message, param="path", **error.details) from None
    except (OSError, ValueError) as error:  # ValueError: the path has a null character
        raise _unopened(path, where, error) from None


def _unopened(path: str, where: Where, error: Exception) -> DataError:
    reason = getattr(error, "strerror", None) or str(error)
    folder = shown(os.path.abspath(where.folder))
    match = where.access.similar(path, where.folder) if isinstance(error, FileNotFoundError) else None
    near = f"did you mean {shown_path(match)}? " if match else ""
    return DataError(DATA_FILE, param="path", path=shown_path(path), reason=reason, folder=folder, near=near)


_WILD = re.compile(r"[*?\[]")
