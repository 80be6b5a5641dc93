"""Defines a source of data.

Input: the arguments of a declaration, and the base of its paths. Output: the schema, known without NumPy and
without the libraries that read the data; and the data as a `Table`. `tfdsl check` imports the modules of sources,
so they import NumPy and similar libraries inside functions.
"""

import os
import re
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from ...access import Access, AccessRefused
from ...diagnostics import COLUMN_TWICE, DATA_FILE, FILE_FORM, ONLY_TARGET, UNKNOWN_COLUMN
from ...limits import Clock
from ...record import Record
from ..schema import DataError, FilePlace, Schema, shown
from ..stage import Arguments, StageKind

if TYPE_CHECKING:
    from ..arrays import Table


class Where(Record):
    """The base of the paths of data, and the object that opens them."""

    folder: str
    access: Access
    clock: Clock | None = None  # of the check that reads


class DataSource(StageKind):
    """A source of data. `target_name` is the name of the target in a source that is not a file."""

    target_name: str | None = None

    @abstractmethod
    def schema(self, arguments: Arguments, where: Where) -> Schema:
        """The sizes, dtypes and names of the result of `load`. Checks every argument."""

    @abstractmethod
    def load(self, where: Where, *args: Any, **arguments: Any) -> "Table":
        """Load the data, with arguments checked by `schema`."""


class SmallSet(DataSource):
    """A data set of scikit-learn, whose loader has the same name."""

    target_name = "target"

    def __init__(self, name: str, doc: str, schema: Schema):
        self.name, self.doc, self._schema = name, doc, schema

    def schema(self, arguments: Arguments, where: Where) -> Schema:
        return self._schema

    def load(self, where: Where) -> "Table":
        from sklearn import datasets

        from ..arrays import table

        features, target = getattr(datasets, f"load_{self.name}")(return_X_y=True)
        return table(features, target, self.name)


class FileSource(DataSource):
    """A file. If its name ends in one of `suffixes`, it can also replace another source (`--data`). So `path` is the
    only argument that a file source can require."""

    suffixes: tuple[str, ...]

    def path(self, arguments: Arguments) -> str:
        path = arguments["path"]
        if not isinstance(path, str):
            self.refuse(arguments, "path", "a string")
        return path


class TableSource(FileSource):
    """A file with named columns. The argument `target` names one of them; `stream` keeps the rows on disk."""

    @abstractmethod
    def columns(self, arguments: Arguments, where: Where) -> tuple[str, ...]:
        """The names of all columns."""

    def target(self, arguments: Arguments) -> str | None:
        target = arguments["target"]
        if not (target is None or isinstance(target, str)):
            self.refuse(arguments, "target", "a string, the name of a column")
        return target

    def stream(self, arguments: Arguments) -> bool:
        stream = arguments["stream"]
        if not isinstance(stream, bool):
            self.refuse(arguments, "stream", "true or false")
        return stream


def features_of(names: Sequence[str], target: str | None, place: FilePlace) -> tuple[str, ...]:
    """The feature columns. Column names must be unique, and the target must be one of them but not the only one."""
    if len(set(names)) < len(names):
        twice = next(name for at, name in enumerate(names) if name in names[:at])
        raise DataError(COLUMN_TWICE, place=place, column=shown(twice))
    if target is not None and target not in names:
        raise DataError(UNKNOWN_COLUMN, place=place, param="target", column=shown(target), columns=listed(names))
    features = tuple(name for name in names if name != target)
    if target is not None and not features:
        raise DataError(ONLY_TARGET, place=place, param="target", column=shown(target))
    return features


def unreadable(path: str, kind: str, reason: str, remedy: str) -> DataError:
    """The error for a damaged file, or a file that is not of a kind such as "a Parquet file". The remedy makes one."""
    return DataError(FILE_FORM, param="path", path=shown(path), kind=kind, reason=reason, remedy=remedy)


def open_file(path: str, where: Where) -> BinaryIO:
    """Open a regular file. Reading a pipe or another special file could block the compiler forever."""
    try:
        return where.access.reading(path, where.folder)
    except AccessRefused as error:
        details: dict[str, Any] = error.details
        raise DataError(error.message, param="path", **details) from None
    except (OSError, ValueError) as error:  # ValueError: the path has a null character
        reason = getattr(error, "strerror", None) or str(error)
        folder = shown(os.path.abspath(where.folder))
        raise DataError(DATA_FILE, param="path", path=shown(path), reason=reason, folder=folder) from None


_NAME = re.compile(r"[\w .()\[\]/%#$°²³+-]*")  # the characters of column names


def listed(header: Iterable[str]) -> str:
    """Column names for a message. Other text is left out, because it may be any content of the file."""
    names = list(header)
    kept = [shown(name) for name in names if _NAME.fullmatch(name)]
    left = len(names) - len(kept)
    return ", ".join([*kept, *([f"{left} that are not shown"] if left else [])])
