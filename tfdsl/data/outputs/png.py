"""Pictures [n, height, width, channels], numbers from 0 to 255, as one picture. Several form a grid that is as nearly
square as possible, with two black lines between them."""

from math import ceil, sqrt
from typing import TYPE_CHECKING

from ...diagnostics import PICTURE_RANGE, PICTURE_SHAPE
from ..schema import DataError, shown, sizes
from .base import Collected

if TYPE_CHECKING:
    import numpy as np

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}  # Pillow's, by the number of channels
_BETWEEN = 2  # lines


class PngOutput(Collected):
    takes_one = True

    def finish(self) -> None:
        from PIL import Image

        ((name, array),) = self.arrays().items()
        whole = _together(_checked(name, array))
        channels = whole.shape[2]
        picture = Image.fromarray(whole[:, :, 0] if channels == 1 else whole, _MODES[channels])
        picture.save(self._file, "PNG")


def _checked(name: str, array: "np.ndarray") -> "np.ndarray":
    """The pictures as uint8. Refuses other shapes and numbers."""
    import numpy as np

    if array.ndim != 4 or array.shape[3] not in _MODES or 0 in array.shape:
        raise DataError(PICTURE_SHAPE, name=shown(name), shape=sizes(array.shape))
    with np.errstate(invalid="ignore"):
        rounded = np.rint(np.asarray(array, np.float64))
        bad = ~((rounded >= 0) & (rounded <= 255))
    if array.dtype.kind == "f" and not bad.any() and array.max() <= 1 and (array != np.rint(array)).any():
        raise DataError(PICTURE_RANGE, name=shown(name), what="only numbers from 0 to 1",
                        way=f"multiply it by 255.0: {name} * 255.0")  # fmt: skip
    if bad.any():
        clipped = name if np.isfinite(array[bad]).all() else f"where(is_finite({name}), {name}, zeros_like({name}))"
        row, value = int(np.argwhere(bad)[0][0]), array[bad].reshape(-1)[0]
        raise DataError(PICTURE_RANGE, name=shown(name), what=f"the number {value:g} in picture {row}",
                        way=f"bring it into the range: clip_by_value({clipped}, 0.0, 255.0)")  # fmt: skip
    return rounded.astype(np.uint8)


def _together(pictures: "np.ndarray") -> "np.ndarray":
    """Pictures in rows and columns, uint8 [height, width, channels]."""
    import numpy as np

    count, height, width, channels = pictures.shape
    across = ceil(sqrt(count))
    down = ceil(count / across)
    high, wide = height + _BETWEEN, width + _BETWEEN
    whole = np.zeros((down * high - _BETWEEN, across * wide - _BETWEEN, channels), np.uint8)
    for at in range(count):
        top, left = at // across * high, at % across * wide
        whole[top : top + height, left : left + width] = pictures[at]
    return whole


OUTPUT = PngOutput
