"""What data sets have learned, as a file beside the variables of a model: `model.ckpt.data.json`.

Input: what data sets have learned, by name. Output: the content of the file, and back. It is plain JSON with a version
and a checksum. What a file says is checked like the text of a program, since anybody may have written it.
"""

import hashlib
import json
import math
import os
import re
from collections.abc import Mapping
from typing import BinaryIO, NoReturn

from ..access import AccessRefused
from ..diagnostics import (
    DATA_FILE,
    LEARNED_CHANGED,
    LEARNED_FORM,
    LEARNED_INFINITE,
    LEARNED_LARGE,
    LEARNED_MISSING,
    LEARNED_NAME,
    LEARNED_VERSION,
    LEARNED_WHICH,
)
from ..diagnostics.spelling import nearest
from ..record import Record, replace
from .learned import Fitted, among, from_json, to_json
from .plain import JsonPart
from .schema import DataError, FilePlace, listed, shown, shown_path
from .sources.base import Where

SUFFIX = ".data.json"
_VERSION = 1
_SHOWN = 5  # categories in a message
_MOST = 16 << 20  # bytes


def encoded(sets: Mapping[str, Fitted]) -> bytes:
    """The content of a file."""
    data = {name: to_json(one) for name, one in sets.items()}
    for name, one in data.items():
        try:
            json.dumps(one, allow_nan=False)
        except ValueError:
            raise DataError(LEARNED_INFINITE, data=name) from None
    content = json.dumps({"version": _VERSION, "checksum": _checksum(data), "data": data}, indent=1)
    if len(content) > _MOST:
        raise DataError(LEARNED_LARGE, size=len(content) // 1_000_000 + 1, most=_MOST >> 20)
    return f"{content}\n".encode()


def decoded(opened: BinaryIO, file: str) -> dict[str, Fitted]:
    """What data sets have learned, from an open file."""
    content = opened.read(_MOST + 1)
    if len(content) > _MOST:
        _refuse(file, f"a file of at most {_MOST >> 20} MiB", "a larger one")
    try:
        made = json.loads(content, object_pairs_hook=_object, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        _refuse(file, "JSON", f"text with an error ({error or 'it is nested too deeply'})")
    part = JsonPart(made, file)
    version = part.named().get("version")
    if version is None or isinstance(version.value, bool) or not isinstance(version.value, int):
        part.refuse("an object with a version")
    if version.value != _VERSION:
        raise DataError(LEARNED_VERSION, place=FilePlace(file), file=shown_path(file), version=version.integer(),
                        own=_VERSION)  # fmt: skip
    fields = part.fields("version", "checksum", "data")
    sets = {name: from_json(name, one) for name, one in fields["data"].named().items()}
    if fields["checksum"].value != _checksum(fields["data"].value):
        raise DataError(LEARNED_CHANGED, place=FilePlace(file), file=shown_path(file))
    return sets


# The suffixes of the files of a checkpoint.
_OF_CHECKPOINT = re.compile(rf"({re.escape(SUFFIX)}|\.index|\.meta|\.data-\d+-of-\d+)\Z")


def read(path: str, where: Where) -> dict[str, Fitted]:
    """What data sets have learned, from the file beside a checkpoint."""
    file = f"{path}{SUFFIX}"
    try:
        folder, name = where.access.beside(path, where.folder)
        with folder:
            # A save that was interrupted after it was complete: its files are in this folder.
            whole = re.compile(re.escape(f".{name}.whole-") + r"[0-9a-f]{16}\Z")
            complete = [one for one in folder.names() if whole.match(one)]
            with folder.folder(complete[-1] if complete else ".") as place, place.reading(f"{name}{SUFFIX}") as opened:
                return decoded(opened, file)
    except AccessRefused as error:
        raise DataError(error.message, param="data", **error.details) from None
    except FileNotFoundError:
        folder, base = shown(os.path.abspath(where.folder)), _OF_CHECKPOINT.sub("", path)
        way = f"save and checkpoints write it for data with transforms; paths are relative to the folder {folder}, in "
        way += "which the command runs"
        if base != path:
            way = f"name the model without the suffixes of its files: {shown(base)}"
        raise DataError(LEARNED_MISSING, param="data", path=shown_path(path), file=shown_path(file), way=way) from None
    except OSError as error:
        reason, folder = error.strerror or str(error), shown(os.path.abspath(where.folder))
        raise DataError(DATA_FILE, param="data", path=shown_path(file), reason=reason, folder=folder, near="") from None


def chosen(sets: Mapping[str, Fitted], name: str, path: str) -> Fitted:
    """The data set with a name, or the only one if the name is empty."""
    file, known = shown(f"{path}{SUFFIX}"), listed(sets) or "none"
    if not name and len(sets) != 1:
        first = shown(next(iter(sets), ""))
        raise DataError(LEARNED_WHICH, param="data", file=file, known=known, path=shown_path(path), first=first)
    if name and name not in sets:
        close = nearest(name, sets)
        help = f"did you mean {shown(close)}?" if close else "name one of these"
        raise DataError(LEARNED_NAME, param="name", file=file, name=shown(name), known=known, way=help)
    return sets[name] if name else next(iter(sets.values()))


def matching(sets: Mapping[str, Fitted], name: str, path: str) -> Fitted:
    """The same for the data sets in a file. Raises `DataError` if there is none."""
    return among(sets, name) or chosen(sets, name, path)


def difference(saved: Mapping[str, Fitted], own: Mapping[str, Fitted]) -> "Difference | None":
    """The first number or category that a model has learned otherwise than the data of a program, and how many more.
    Data sets are compared by name, or if there is one of each."""
    pairs = [(name, one, own[name]) for name, one in saved.items() if name in own]
    if not pairs and len(saved) == len(own) == 1:
        pairs = [(name, one, other) for name, other in own.items() for one in saved.values()]
    found: list[Difference] = []
    for name, one, other in pairs:
        for word in sorted(one.words | other.words):
            left, right = one.readable(word), other.readable(word)
            found += (
                Difference(name, one.name, word, column, *_told_apart(left.get(column), right.get(column)))
                for column in {**left, **right}
                if not _is_same(left.get(column), right.get(column))
            )
    return replace(found[0], more=len(found) - 1) if found else None


class Difference(Record):
    """What is learned of a column of a data set, in a file and in a program, and how many more differ.
    The file may have it by another name."""

    data: str
    saved_name: str
    word: str
    column: str
    saved: str
    own: str
    more: int = 0

    @property
    def what(self) -> str:
        """As the subject of a sentence, with its verb."""
        return f"{self.word} of {shown(self.column)} {'are' if self.word.endswith('s') else 'is'}"


def _is_same(left: object, right: object) -> bool:
    """Whether two are the same. The last bits of numbers depend on the machine."""
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-300)
    return left == right


def _told_apart(left: object, right: object) -> tuple[str, str]:
    """Two different values in words. Numbers are rounded if the rounded numbers still differ."""
    if isinstance(left, float) and isinstance(right, float):
        rounded = f"{left:.6g}", f"{right:.6g}"
        if rounded[0] != rounded[1]:
            return rounded
    return _told(left), _told(right)


def _told(value: object) -> str:
    match value:
        case None:
            return "not learned"
        case list():
            some = listed(map(str, value[:_SHOWN]))
            return some if len(value) <= _SHOWN else f"{some}, ... ({len(value)} in all)"
        case str():
            return shown(value)
    return repr(value)


def _checksum(data: object) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _refuse(file: str, wanted: str, found: str) -> NoReturn:
    raise DataError(
        LEARNED_FORM, place=FilePlace(file), file=shown_path(file), at="the file", wanted=wanted, found=found
    )


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a name comes twice in an object")
    return made


def _constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number in JSON")
