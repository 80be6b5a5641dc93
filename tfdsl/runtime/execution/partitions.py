"""Variables that TensorFlow 1 kept in parts: a checkpoint has the whole under one name, and a program has the parts.

The part `emb/part_1` belongs to the whole `emb`, and the variable `emb/part_1/Adam` of an optimizer to `emb/Adam`. The
parts divide the whole along one axis, in the order of their numbers.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ...record import Record

_PART = re.compile(r"/part_(\d+)(?=/|\Z)")
Shape = tuple[int, ...]


class StoredPart(Record):
    """A part of a variable: the name of the whole, and the part's elements of it."""

    whole: str
    elements: tuple[slice, ...]

    def of(self, values: np.ndarray) -> np.ndarray:
        """The part of the values of the whole."""
        return values[self.elements]


def whole_of(name: str) -> str:
    """The name of the whole that a part belongs to, or "" if the name is not that of a part."""
    return _PART.sub("", name, count=1) if _PART.search(name) else ""


def part_of(whole: str, like: str) -> str:
    """The name of a part of a whole that has the same number as the part `like`."""
    found = _PART.search(like)
    assert found is not None
    return like if whole_of(like) == whole else f"{whole}{found[0]}"


def parts(variables: Mapping[str, Shape], stored: Mapping[str, Shape]) -> dict[str, StoredPart]:
    """The variables that a checkpoint has only as parts of others. `variables` and `stored` have the shapes of the
    variables of a program and of a checkpoint, by their names there."""
    wholes: dict[str, dict[int, str]] = defaultdict(dict)
    for name in variables.keys() - stored.keys():
        found = _PART.search(name)
        if found and whole_of(name) in stored:
            wholes[whole_of(name)][int(found[1])] = name
    return {
        name: part
        for whole, numbered in wholes.items()
        for name, part in _divided(
            whole, stored[whole], {name: variables[name] for _, name in sorted(numbered.items())}
        )
    }


def _divided(whole: str, size: Shape, shapes: Mapping[str, Shape]) -> Iterator[tuple[str, StoredPart]]:
    """The parts of a whole, if variables with these shapes divide it along an axis."""
    for axis in range(len(size)):
        if _joined(list(shapes.values()), axis) == size:
            start = 0
            for name, shape in shapes.items():
                yield name, StoredPart(whole, (*[slice(None)] * axis, slice(start, start + shape[axis])))
                start += shape[axis]
            return


def _joined(shapes: Sequence[Shape], axis: int) -> Shape | None:
    """The shape of parts that are joined along an axis, or None if they do not fit together."""
    others = {(*shape[:axis], 0, *shape[axis + 1 :]) for shape in shapes}
    if len(others) > 1 or any(len(shape) <= axis for shape in shapes):
        return None
    return (*shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :])
