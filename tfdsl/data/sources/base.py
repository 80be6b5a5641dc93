"""What a source of data is.

Input: the arguments of a declaration, and where its paths are. Output: the schema, which is known without NumPy and
without what reads the data; and the data itself, as a `Table`. `tfdsl check` imports the modules of sources, so they
import NumPy and the like inside the functions that need them.
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
    """What the paths of data are relative to, and what opens them."""

    folder: str
    access: Access
    clock: Clock | None = None  # of the check that reads


class DataSource(StageKind):
    """A source of data. `target_name` is what one that is not a file calls its target."""

    target_name: str | None = None

    @abstractmethod
    def schema(self, arguments: Arguments, where: Where) -> Schema:
        """The sizes, dtypes and names of what `load` gives; every argument is checked."""

    @abstractmethod
    def load(self, where: Where, *args: Any, **arguments: Any) -> "Table":
        """The data, for arguments that `schema` has checked."""


class SmallSet(DataSource):
    """A data set that comes with scikit-learn, whose loader has its name."""

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
    """A file. One whose name ends in one of `suffixes` can also stand in for another source (`--data`), so `path` is
    the only argument that such a source may demand."""

    suffixes: tuple[str, ...]

    def path(self, arguments: Arguments) -> str:
        path = arguments["path"]
        if not isinstance(path, str):
            self.refuse(arguments, "path", "a string")
        return path


class TableSource(FileSource):
    """A file of named columns: its argument `target` names one of them, `stream` keeps the rows on disk."""

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
    """The columns that are features. No two have one name, the target is one of them, and not the only one."""
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
    """The error for a file that is not of a kind, such as "a Parquet file", or damaged; the remedy makes one."""
    return DataError(FILE_FORM, param="path", path=shown(path), kind=kind, reason=reason, remedy=remedy)


def open_file(path: str, where: Where) -> BinaryIO:
    """Open a regular file; anything else, such as a pipe, could keep the compiler waiting for ever."""
    try:
        return where.access.reading(path, where.folder)
    except AccessRefused as error:
        details: dict[str, Any] = error.details
        raise DataError(error.message, param="path", **details) from None
    except (OSError, ValueError) as error:  # ValueError: a null character
        reason = getattr(error, "strerror", None) or str(error)
        folder = shown(os.path.abspath(where.folder))
        raise DataError(DATA_FILE, param="path", path=shown(path), reason=reason, folder=folder) from None


_NAME = re.compile(r"[\w .()\[\]/%#$°²³+-]*")  # what names of columns are made of


def listed(header: Iterable[str]) -> str:
    """The names of columns, for a message; what does not look like one may be anything that a file holds."""
    names = list(header)
    kept = [shown(name) for name in names if _NAME.fullmatch(name)]
    left = len(names) - len(kept)
    return ", ".join([*kept, *([f"{left} that are not shown"] if left else [])])
