"""Pictures: a row a file."""

import math
import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...diagnostics import FILE_FORM, IMAGE_SIZE, TIME_LONG
from ...types import FLOAT32, INT64, STRING
from ..schema import Column, DataError, FilePlace, Schema, check_size, is_integer, shown_path
from ..stage import Arguments
from .base import FileSource, OpenedData, Where, open_file

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image as Picture

    from ..tables import ColumnSource, Rows

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_ORIENTATION, _ON_ITS_SIDE = 0x0112, (5, 6, 7, 8)  # of EXIF
_MOST = 1 << 14  # pixels of an edge
_MOST_PIXELS = 1 << 26  # of a picture that is read


class Images(FileSource):
    name = "images"
    signature = "path: text, size: static = none, channels: integer = 3"
    example = 'data photos = images("photos/*/*.png", size=[32, 32])'
    doc = (
        "Pictures, one per row: `image` is float32 [height, width, channels] from 0 to 255, and `path` is the file. "
        "The path can be a folder with pictures, or with folders of pictures. If the pictures are in several folders, "
        "the target `class` is the number of the folder, in the order of the folders' names; with `fitted`, it is the "
        "number that the folder has in the other data. Pictures are turned upright by their EXIF orientation; of "
        "several frames, only the first is read. `size=[height, width]` scales all pictures; without it, they must "
        "all have the same size. `channels` is 1, 3 or 4."
    )
    numbers_classes = True
    suffixes = (".png", ".jpg", ".jpeg", ".gif", ".bmp")
    kind = "a picture"
    begins = re.compile(rb"\x89PNG|\xff\xd8\xff|GIF8|BM(?s:.{4})\0{4}")
    takes_folder = True

    def open(self, arguments: Arguments, where: Where) -> OpenedData:
        size, channels = arguments["size"], arguments["channels"]
        if not is_integer(channels) or channels not in _MODES:
            self.refuse(arguments, "channels", "1 for grey, 3 for colours, or 4 with transparency")
        if size is not None and not (
            isinstance(size, tuple) and len(size) == 2 and all(is_integer(one) and 1 <= one <= _MOST for one in size)
        ):
            self.refuse(arguments, "size", f"[height, width], each from 1 to {_MOST}")
        paths = self.files(arguments, where)
        first = None
        for path in paths:
            if where.clock is not None and where.clock.is_over:
                raise DataError(TIME_LONG, place=FilePlace(path), param="path", seconds=where.clock.seconds)
            found = _size(path, where)
            first = first or found
            if size is None and found != first:
                raise DataError(IMAGE_SIZE, param="path", first=shown_path(paths[0]),
                                other=shown_path(path), size=list(first), found=list(found))  # fmt: skip
        assert first is not None  # a path matches at least one file
        height, width = first if size is None else size
        shape = (int(height), int(width), channels)
        check_size(self.name, len(paths), math.prod(shape), is_there=True)
        folders = [os.path.basename(os.path.dirname(path)) for path in paths]
        classes = sorted(set(folders))
        table = [Column("image", FLOAT32, shape), Column("path", STRING, role="aside")]
        if len(classes) > 1:
            table.append(Column("class", INT64, role="target", ends=(0, len(classes) - 1), classes=tuple(classes)))

        def source() -> "ColumnSource":
            import numpy as np

            from ..tables import Held, Matrix

            panels: list[tuple[tuple[str, ...], Matrix]] = [
                (("image",), Pictures(paths, where, shape)),
                (("path",), np.arange(len(paths), dtype=np.int32)),
            ]
            if len(classes) > 1:
                panels.append((("class",), np.array([classes.index(one) for one in folders], np.int64)))
            return Held(len(paths), tuple(panels), self.path(arguments), {"path": tuple(paths)})

        return OpenedData(Schema(len(paths), tuple(table)), source, is_in_graph=False)


class Pictures:
    """The pixels of pictures, which are read when they are asked for."""

    def __init__(self, paths: Sequence[str], where: Where, shape: tuple[int, int, int]):
        self._paths, self._where, self._shape = paths, where, shape

    def __getitem__(self, rows: "Rows") -> "np.ndarray":
        import numpy as np

        numbers = range(len(self._paths))[rows] if isinstance(rows, slice) else rows.tolist()
        result = np.empty((len(numbers), *self._shape), np.uint8)
        for at, number in enumerate(numbers):
            result[at] = self._read(self._paths[number])
        return result

    def _read(self, path: str) -> "np.ndarray":
        import numpy as np
        from PIL import Image

        height, width, channels = self._shape
        with open_file(path, self._where) as file:
            try:
                with Image.open(file) as picture:
                    made = _eight_bits(picture).convert(_MODES[channels])
                    if made.size != (width, height):
                        made = made.resize((width, height), Image.Resampling.BILINEAR)
                    return np.asarray(made).reshape(self._shape)
            except Exception as error:  # Pillow has a different error for each kind of damage
                raise _damaged(path, error) from None


def _eight_bits(picture: "Picture") -> "Picture":
    """A picture as its camera says that it stands, with numbers from 0 to 255. Refuses numbers whose range is not
    known."""
    import numpy as np
    from PIL import Image, ImageOps

    if picture.mode in ("I", "F"):
        raise ValueError("it has 32-bit numbers, whose range is not known; scale them to 0 to 255")
    turned = ImageOps.exif_transpose(picture)
    if not turned.mode.startswith("I;16"):
        return turned
    return Image.fromarray((np.asarray(turned) >> 8).astype(np.uint8))


def _size(path: str, where: Where) -> tuple[int, int]:
    """The height and the width of a picture, from its header."""
    from PIL import Image

    with open_file(path, where) as file:
        try:
            with Image.open(file) as picture:
                width, height = picture.size
                if picture.getexif().get(_ORIENTATION, 1) in _ON_ITS_SIDE:
                    width, height = height, width
        except Exception as error:
            raise _damaged(path, error) from None
    if width * height > _MOST_PIXELS:
        raise _damaged(path, ValueError(f"it has {width} x {height} pixels, and the limit is {_MOST_PIXELS}"))
    return height, width


def _damaged(path: str, error: Exception) -> DataError:
    from PIL import UnidentifiedImageError

    reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
    if isinstance(error, UnidentifiedImageError):
        reason = "it has no picture, or only the beginning of one"
    return DataError(
        FILE_FORM, place=FilePlace(path), param="path", path=shown_path(path), kind="a picture", reason=reason,
        remedy="save it again as .png",
    )  # fmt: skip


SOURCE = Images()
