"""Parquet files: numbers in named columns. The check only reads the footer; a run needs pyarrow."""

from typing import TYPE_CHECKING

from ...schema import FilePlace, Schema, check_features, number_dtype, shown
from ...stage import Arguments
from ..base import TableSource, Where, features_of, open_file
from .footer import ParquetFile, read_footer

if TYPE_CHECKING:
    from ...arrays import Table


class Parquet(TableSource):
    name = "parquet"
    signature = "path: text, target: text = none, stream: flag = false"
    doc = (
        "A Parquet file of numbers; `target` names one of its columns. It needs pyarrow. With `stream` the rows are "
        "kept on disk and read batch by batch, for files larger than memory."
    )
    suffixes = (".parquet",)

    def schema(self, arguments: Arguments, where: Where) -> Schema:
        path, target, stream = self.path(arguments), self.target(arguments), self.stream(arguments)
        found, path = self._footer(path, where)
        names = tuple(column.name for column in found.columns)
        features = features_of(names, target, FilePlace(path))
        check_features(shown(path), (1 if stream and found.rows else found.rows, len(features)))
        dtype = None if target is None else number_dtype(target, found.columns[names.index(target)].kind)
        return Schema(found.rows, features, dtype, target, streamed=stream)

    def columns(self, arguments: Arguments, where: Where) -> tuple[str, ...]:
        found, _ = self._footer(self.path(arguments), where)
        return tuple(column.name for column in found.columns)

    def load(self, where: Where, path: str, target: str | None, stream: bool) -> "Table":
        from .arrays import read

        with open_file(path, where) as file:
            return read(file, target, stream)

    def _footer(self, path: str, where: Where) -> tuple[ParquetFile, str]:
        with open_file(path, where) as file:
            return read_footer(file), file.name


SOURCE = Parquet()
