"""Rows of a data set that other processes read, each from its own files: the workers of a cluster.

Input, where the data set is known: its pipeline and its arrays. Output: how its rows are divided, and for each reader a
`Share` in plain JSON. Input, at a reader: that. Output: arrays with the same bits as those of its rows where the data
set is known. `digests` say whether they have.

With several files, reader i of k has the files i, i + k, ... With one file it has a piece of its rows.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..access import TRUSTED, AccessRefused
from ..record import Record
from .arrays import Dataset
from .learned import Fitted, from_json, to_json
from .pipeline import Pipeline
from .plain import JsonPart
from .schema import DataError
from .sources import SOURCES
from .sources.base import SourceFiles, TableSource, Where
from .tables import BLOCK, Table


class Readable(Record):
    """A data set that others can read: its files, what its transforms have learned, and the row numbers in the files of
    a part."""

    files: SourceFiles
    learned: Fitted
    numbers: Callable[[str], np.ndarray]


class Share(Record):
    """What one reader reads: a description in plain JSON, and the rows that it keeps, as packed bits."""

    description: dict[str, Any]  # JSON that `read` takes apart where the share was sent
    kept: np.ndarray


class Division(Record):
    """How rows are divided between readers. `order` has all rows, those of each reader in the order of its files, and
    `ends` has where those of each reader end in it."""

    order: np.ndarray
    ends: np.ndarray
    shares: tuple[Share, ...]

    def of(self, reader: int) -> np.ndarray:
        """The rows of a reader, in its order."""
        return self.order[self.ends[reader - 1] if reader else 0 : self.ends[reader]]


class NotRead(Exception):
    """A reader "cannot read a.csv: ..." or "has another number of rows in a.csv"."""


def readable(pipeline: Pipeline, dataset: Dataset) -> Readable | None:
    """How others can read a data set. None if they cannot: it is no table in files, it is streamed, or a row is made of
    several."""
    files = pipeline.opened.files
    if files is None or pipeline.schema.streamed:
        return None
    learned = pipeline.complete()
    return None if learned.remakes_rows else Readable(files, learned, dataset.numbers)


def divided(data: Readable, part: str, readers: int) -> Division:
    """The rows of a part of a data set, divided between readers."""
    files, numbers = data.files, data.numbers(part)
    ends = np.cumsum(files.rows)
    is_one = len(files.paths) == 1
    owner = numbers * readers // ends[-1] if is_one else np.searchsorted(ends, numbers, side="right") % readers
    order = np.lexsort((numbers, owner))
    cuts = np.cumsum(np.bincount(owner, minlength=readers))
    learned, shares = to_json(data.learned), list[Share]()
    for reader, mine in enumerate(np.split(numbers[order], cuts[:-1])):
        wanted = np.zeros(ends[-1], bool)
        wanted[mine] = True
        own = range(1) if is_one else range(reader, len(files.paths), readers)
        pieces = [wanted[ends[at] - files.rows[at] : ends[at]] for at in own]
        kept = np.concatenate(pieces) if pieces else np.zeros(0, bool)
        description = {
            "source": files.source, "paths": [files.paths[at] for at in own], "form": files.form, "rows": len(kept),
            "kept": [int(piece.sum()) for piece in pieces], "name": data.learned.name, "learned": learned,
        }  # fmt: skip
        shares.append(Share(description, np.packbits(kept)))
    return Division(order.astype(np.int32 if len(order) < 1 << 31 else np.int64), cuts, tuple(shares))


def read(share: Share, fields: Sequence[str]) -> list[np.ndarray]:
    """The arrays of a reader's rows. Raises `NotRead` if files are not there, or are others."""
    about, where = share.description, Where("", TRUSTED)
    for path in about["paths"]:
        try:
            where.access.reading(path).close()
        except (OSError, AccessRefused) as error:
            raise NotRead(f"cannot read {path}: {(getattr(error, 'strerror', None) or str(error)).lower()}") from None
    source = SOURCES[about["source"]]
    assert isinstance(source, TableSource)
    learned = from_json(about["name"], JsonPart(about["learned"], "the data of the client"))
    kept = np.unpackbits(share.kept, count=about["rows"]).astype(bool)
    done = 0
    others = f" or another of its {len(about['paths'])} files" if len(about["paths"]) > 1 else ""
    another_number = f"has another number of rows in {about['paths'][0]}{others}"

    def choose(block: list[np.ndarray]) -> list[np.ndarray]:
        nonlocal done
        mine = kept[done : done + len(block[0])]
        done += len(block[0])
        if done > len(kept):
            raise NotRead(another_number)
        return [column[mine] for column in block]

    with np.errstate(over="ignore", invalid="ignore"):
        try:
            held = source.again(about["paths"], about["form"], where, choose)
            if done < len(kept):
                raise NotRead(another_number)
            table = learned.transformed(Table(held, held.rows, held.words), has_target=True)
            made = Dataset(table, learned.result, lambda field: None).make(*fields)
        except DataError as error:
            raise NotRead(
                f"cannot read {error.place.path if error.place else about['paths'][0]}: {error.headline}"
            ) from None
    return [made[field][""] for field in fields]


def digests(share: Share, arrays: Sequence[np.ndarray], rows: np.ndarray | None = None) -> list[str]:
    """The digests of the rows of each file of a share: of all rows of the arrays, or of these."""
    numbers = np.arange(len(arrays[0])) if rows is None else rows
    return [_digest(arrays, mine) for mine in np.split(numbers, np.cumsum(share.description["kept"])[:-1])]


def _digest(arrays: Sequence[np.ndarray], rows: np.ndarray) -> str:
    found = hashlib.sha256()
    for array in arrays:
        found.update(f"{array.dtype} {(len(rows), *array.shape[1:])}".encode())
        for start in range(0, len(rows), BLOCK):
            block = array[rows[start : start + BLOCK]]
            if block.dtype == object:  # texts
                for text in block.flat:
                    found.update(f"{len(text)} ".encode() + text)
            else:
                found.update(np.ascontiguousarray(block).view(np.uint8).data if block.size else b"")
    return found.hexdigest()
