"""Parquet files: named columns of numbers, bools and text."""

from typing import TYPE_CHECKING

from ..memory import check_room
from ..schema import FilePlace, Schema, check_size, shown
from ..stage import Arguments
from .base import OpenedData, TableSource, Where, matching, with_targets

if TYPE_CHECKING:
    from ..arrow import Blocks
    from ..tables import ColumnSource


class Parquet(TableSource):
    name = "parquet"
    signature = "path: text, target: static = none, stream: flag = false"
    doc = (
        "Parquet files; `target` names one of their columns, or several in a list. `path` may have `*`, for several "
        "files with the same columns. With `stream` the rows are kept on disk and read batch by batch, for files "
        "larger than memory."
    )
    suffixes = (".parquet",)

    def open(self, arguments: Arguments, where: Where) -> OpenedData:
        targets, stream = self.targets(arguments), self.stream(arguments)
        blocks = self._blocks(arguments, where, stream)
        check_size(shown(blocks.path), 1 if stream else blocks.rows, len(blocks.names))
        table = with_targets(blocks.columns(), targets, FilePlace(blocks.path))

        def source() -> "ColumnSource":
            return blocks.source(blocks.path)

        return OpenedData(Schema(blocks.rows, table, streamed=stream), source, texts=blocks.texts)

    def columns(self, arguments: Arguments, where: Where) -> tuple[str, ...]:
        return tuple(self._blocks(arguments, where, True).names)

    def _blocks(self, arguments: Arguments, where: Where, stream: bool) -> "Blocks":
        check_room()
        from ..arrow import parquet_blocks

        return parquet_blocks(matching(self.path(arguments), where), where, stream)


SOURCE = Parquet()
