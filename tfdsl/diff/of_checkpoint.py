"""The inventory of a checkpoint: its variables by name, and the values that data sets have learned."""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from glob import escape, glob
from typing import cast

import numpy as np

from ..data.learned import to_json
from ..data.saved import SUFFIX, decoded
from ..data.schema import DataError
from ..diagnostics import CHECKPOINT_GIVEN, FILE_MISSING, Diagnostic, TfgError
from ..lowering.failures import plain_reason
from ..lowering.text import natural
from ..lowering.tf import Operand, v1
from ..narrowing import is_list, is_object
from ..program import HostValue
from .expressions import value_text
from .inventory import Fact, Inventory, Thing
from .values import ArrayPlace


def prefix_of(path: str) -> str:
    """The prefix of the checkpoint at a path: a prefix, one of its files, or a folder."""
    prefix = re.sub(r"\.(index|meta|data-\d+-of-\d+)$", "", path)
    if os.path.isdir(path):
        latest: str | None = v1.train.latest_checkpoint(path)
        indexes = glob(os.path.join(escape(path), "*.index"))
        prefix = latest or (indexes[0].removesuffix(".index") if len(indexes) == 1 else "")
    if not prefix or not (os.path.isfile(f"{prefix}.index") or os.path.isfile(prefix)):
        raise TfgError([Diagnostic(CHECKPOINT_GIVEN, None, {"path": path})])
    return prefix


def checkpoint_inventory(path: str) -> Inventory:
    """The inventory of the checkpoint at a path."""
    prefix = prefix_of(path)
    try:
        reader: Operand = v1.train.load_checkpoint(prefix)
        shapes: dict[str, list[int]] = reader.get_variable_to_shape_map()
        dtypes: dict[str, Operand] = reader.get_variable_to_dtype_map()
        sums = checksums(prefix, shapes)
    except (v1.errors.OpError, ValueError, RuntimeError, IndexError) as error:
        raise TfgError([Diagnostic(FILE_MISSING, None, {"path": prefix, "reason": plain_reason(error)})]) from None
    things: dict[int, Thing] = {}
    scopes: dict[str, int | None] = {"": None}

    def scope(name: str) -> int | None:
        if name not in scopes:
            above, _, own = name.rpartition("/")
            parent = scope(above)
            id = scopes[name] = len(scopes)
            things[id] = Thing(id, "scope", own, {}, parent)
        return scopes[name]

    names = sorted(shapes, key=natural)
    for name in names:
        scope(name.rpartition("/")[0])
    for at, name in enumerate(names, len(scopes)):
        above, _, own = name.rpartition("/")
        facts = {"dtype": Fact((str(dtypes[name].name),)), "shape": Fact((str(list(shapes[name])),))}
        facts["values"] = Fact((sums[name],))
        things[at] = Thing(
            at, "variable", own, facts, scopes[above], array=ArrayPlace(prefix, name, in_checkpoint=True)
        )
    for name, facts in _learned(prefix):
        id = len(things) + len(scopes)
        things[id] = Thing(id, "data", name, facts)
    return Inventory(path, things)


def checksums(prefix: str, names: Iterable[str]) -> dict[str, str]:
    """A digest of the value of each named variable. Variables that the checkpoint does not have are left out."""
    reader = v1.train.load_checkpoint(prefix)
    return {name: _digest(np.asarray(reader.get_tensor(name))) for name in names if reader.has_tensor(name)}


def _digest(array: np.ndarray) -> str:
    data = repr(array.tolist()).encode() if array.dtype == object else np.ascontiguousarray(array).tobytes()
    return hashlib.sha256(data).hexdigest()


def _learned(prefix: str) -> Iterator[tuple[str, dict[str, Fact]]]:
    """The values that each data set has learned, as facts with the paths of the values as names."""
    if os.path.isfile(prefix + SUFFIX):
        try:
            with open(prefix + SUFFIX, "rb") as file:
                sets = decoded(file, prefix + SUFFIX)
        except DataError as error:
            raise TfgError([Diagnostic(error.message, None, error.details)]) from None
        for name, learned in sorted(sets.items()):
            yield name, {path: Fact((text,)) for path, text in _leaves(to_json(learned))}


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case _ if is_object(value):
            for name, one in value.items():
                yield from _leaves(one, f"{path}.{name}".lstrip("."))
        case _ if is_list(value) and any(isinstance(one, (dict, list)) for one in value):
            for at, one in enumerate(value):
                yield from _leaves(one, f"{path}[{at}]")
        case list():
            yield path, value_text(tuple(cast("list[HostValue]", value)))  # of JSON, without lists in it
        case _:
            yield path, value_text(cast("HostValue", value))  # a scalar of JSON
