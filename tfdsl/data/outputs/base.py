"""Defines a format of files with values.

Input: blocks of named arrays, whose first axis is the row axis. Output: the file.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, BinaryIO

from ...diagnostics import OUTPUT_AXES, OUTPUT_KIND, OUTPUT_NAME, OUTPUT_TEXT
from ..schema import DataError, shown, sizes

if TYPE_CHECKING:
    import numpy as np

Block = Mapping[str, "np.ndarray"]


class Output(ABC):
    """A file being written. All blocks have the same names and dtypes, and the same axes but the first."""

    takes_one = False  # it has room for one value only

    def __init__(self, file: BinaryIO):
        self._file = file

    @abstractmethod
    def add(self, block: Block) -> None:
        """Add the rows of a block."""

    @abstractmethod
    def finish(self) -> None:
        """Write what is left. The file stays open."""


class Collected(Output):
    """A file that is written when all rows are there."""

    def __init__(self, file: BinaryIO):
        super().__init__(file)
        self._blocks: list[Block] = []

    def add(self, block: Block) -> None:
        self._blocks.append(block)

    def arrays(self) -> "dict[str, np.ndarray]":
        """All rows, text as text."""
        import numpy as np

        whole: dict[str, np.ndarray] = {}
        for name in self._blocks[0]:
            parts = [block[name] for block in self._blocks]
            whole[name] = known(name, parts[0] if len(parts) == 1 else np.concatenate(parts))
        return whole


def columns(block: Block) -> "dict[str, np.ndarray]":
    """A block as columns of one number or text a row: `p` [rows, 2] becomes `p_0` and `p_1`."""
    result: dict[str, np.ndarray] = {}

    for name, column in _split(block):
        if name in result:
            raise DataError(OUTPUT_NAME, name=shown(name))
        result[name] = column
    return result


def _split(block: Block) -> "Iterator[tuple[str, np.ndarray]]":
    for name, array in block.items():
        if array.ndim > 2:
            raise DataError(OUTPUT_AXES, name=shown(name), shape=sizes(array.shape))
        array = known(name, array)
        if array.ndim == 1 or array.shape[1] == 1:
            yield name, array.reshape(-1)
        else:
            yield from ((f"{name}_{at}", array[:, at]) for at in range(array.shape[1]))


def known(name: str, array: "np.ndarray") -> "np.ndarray":
    """An array of a dtype that files have."""
    return _texts(name, array) if array.dtype.kind in "OSU" else _numbers(name, array)


def _texts(name: str, array: "np.ndarray") -> "np.ndarray":
    """Text as Python strings. Refuses bytes that are not UTF-8."""
    import numpy as np

    result = np.empty(array.shape, object)
    for at, one in enumerate(array.reshape(-1)):
        try:
            result.reshape(-1)[at] = one.decode() if isinstance(one, bytes) else str(one)
        except UnicodeDecodeError:
            raise DataError(
                OUTPUT_TEXT, name=shown(name), row=at // max(1, int(np.prod(array.shape[1:]))) + 1
            ) from None
    return result


def _numbers(name: str, array: "np.ndarray") -> "np.ndarray":
    """Numbers in a dtype that files have: others become float32."""
    import numpy as np

    if array.dtype.kind in "biu" or array.dtype in (np.float32, np.float64):
        return array
    if array.dtype.name in ("float16", "bfloat16"):
        return array.astype(np.float32)
    raise DataError(OUTPUT_KIND, name=shown(name), dtype=array.dtype.name)
