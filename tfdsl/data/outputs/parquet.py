"""Parquet files."""

from typing import TYPE_CHECKING, BinaryIO

from .base import Block, Output, columns

if TYPE_CHECKING:
    import pyarrow.parquet as pq


class ParquetOutput(Output):
    def __init__(self, file: BinaryIO):
        super().__init__(file)
        self._writer: pq.ParquetWriter | None = None

    def add(self, block: Block) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.table(columns(block))
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._file, table.schema)
        self._writer.write_table(table)

    def finish(self) -> None:
        if self._writer is not None:
            self._writer.close()


OUTPUT = ParquetOutput
