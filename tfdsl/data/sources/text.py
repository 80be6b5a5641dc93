"""Text files: a row a line."""

from typing import TYPE_CHECKING

from ...diagnostics import CSV_EMPTY, CSV_NOT_UTF8, TIME_LONG
from ...types import STRING
from ..schema import Column, DataError, FilePlace, Schema, check_size, shown_path
from ..stage import Arguments
from .base import FileSource, OpenedData, Where, open_file

if TYPE_CHECKING:
    from ..tables import ColumnSource

_LINES = 16_384  # between two looks at the clock


class Text(FileSource):
    name = "text"
    signature = "path: text"
    example = 'data notes = text("notes.txt")'
    doc = "Text files in UTF-8, one row per line, in the column `text`. `path` can contain `*`, for several files."
    suffixes = (".txt",)
    kind = "a text file"

    def open(self, arguments: Arguments, where: Where) -> OpenedData:
        paths = self.files(arguments, where)
        words: dict[str, int] = {}
        codes: list[int] = []
        for path in paths:
            with open_file(path, where) as file:
                for number, line in enumerate(file, 1):
                    if where.clock is not None and number % _LINES == 0 and where.clock.is_over:
                        raise DataError(TIME_LONG, place=FilePlace(file.name, number), param="path",
                                        seconds=where.clock.seconds)  # fmt: skip
                    try:
                        text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
                    except UnicodeDecodeError:
                        place = FilePlace(file.name, number)
                        raise DataError(CSV_NOT_UTF8, place=place, path=shown_path(file.name)) from None
                    codes.append(words.setdefault(text, len(words)))
        if not codes:
            raise DataError(CSV_EMPTY, place=FilePlace(paths[0]), path=shown_path(paths[0]))
        check_size(shown_path(paths[0]), len(codes), 1)

        def source() -> "ColumnSource":
            import numpy as np

            from ..tables import Held

            return Held(len(codes), ((("text",), np.array(codes, np.int32)),), paths[0], {"text": tuple(words)})

        return OpenedData(Schema(len(codes), (Column("text", STRING),)), source)


SOURCE = Text()
