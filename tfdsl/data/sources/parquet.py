"""Parquet files: named columns of numbers, bools and text."""

from typing import TYPE_CHECKING

from ..schema import FilePlace, Schema, check_size, shown
from ..stage import Arguments
from .base import OpenedData, TableSource, Where, matching, with_targets

if TYPE_CHECKING:
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
        from ..arrow import parquet_blocks

        targets, stream = self.targets(arguments), self.stream(arguments)
        blocks = parquet_blocks(matching(self.path(arguments), where), where, stream)
        check_size(shown(blocks.path), 1 if stream else blocks.rows, len(blocks.names))
        table = with_targets(blocks.columns(), targets, FilePlace(blocks.path))

        def source() -> "ColumnSource":
            return blocks.source(blocks.path)

        return OpenedData(Schema(blocks.rows, table, streamed=stream), source)

    def columns(self, arguments: Arguments, where: Where) -> tuple[str, ...]:
        from ..arrow import parquet_blocks

        return tuple(parquet_blocks(matching(self.path(arguments), where), where, True).names)


SOURCE = Parquet()
