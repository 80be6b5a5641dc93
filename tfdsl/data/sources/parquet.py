"""Parquet files: named columns of numbers, bools and text."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..memory import check_room
from ..schema import FilePlace, Schema, check_size, shown
from ..stage import Arguments
from .base import FileForm, OpenedData, SourceFiles, TableSource, Where, digits_lost, full_path, with_targets

if TYPE_CHECKING:
    from ..arrow import Blocks
    from ..tables import ColumnSource
    from .base import Choose


class Parquet(TableSource):
    name = "parquet"
    signature = "path: text, target: static = none, stream: flag = false"
    example = 'data houses = parquet("houses.parquet", target="price")'
    doc = (
        "Parquet files. `target` names one of their columns, or several in a list. `path` can contain `*`, for "
        "several files with the same columns. With `stream`, the rows are kept on disk and read batch by batch, for "
        "files larger than memory."
    )
    suffixes = (".parquet",)
    kind = "a Parquet file"
    begins = re.compile(b"PAR1")

    def open(self, arguments: Arguments, where: Where) -> OpenedData:
        targets, stream = self.targets(arguments), self.stream(arguments)
        paths = self.files(arguments, where)
        blocks = self._blocks(paths, where, stream)
        check_size(shown(blocks.path), 1 if stream else blocks.rows, len(blocks.names))
        table = with_targets(blocks.columns(), targets, FilePlace(blocks.path))

        def source() -> "ColumnSource":
            return blocks.source(blocks.path)

        files = SourceFiles(
            self.name, tuple(full_path(path, where) for path in paths), tuple(blocks.rows_of), {"gaps": blocks.gaps}
        )
        doubts = digits_lost(blocks.rounded, blocks.path, arguments)
        return OpenedData(
            Schema(blocks.rows, table, streamed=stream), source, texts=blocks.texts, doubts=doubts, files=files
        )

    def columns(self, arguments: Arguments, where: Where) -> tuple[str, ...]:
        return tuple(self._blocks(self.files(arguments, where), where, True).names)

    def again(self, paths: Sequence[str], form: FileForm, where: Where, choose: "Choose") -> "ColumnSource":
        blocks = self._blocks(paths, where, False, choose)
        blocks.gaps = form["gaps"]  # in all files, which says the dtype
        return blocks.source(blocks.path)

    def _blocks(
        self, paths: Sequence[str], where: Where, stream: bool, choose: "Choose | None" = None
    ) -> "Blocks":  # fmt: skip
        check_room()
        from ..arrow import parquet_blocks

        return parquet_blocks(paths, where, stream, choose)


SOURCE = Parquet()
