"""CSV files in UTF-8: a header, and a line a row. A missing number, which is NaN, is an empty cell."""

import csv
import io
from typing import TYPE_CHECKING, BinaryIO

from .base import Block, Output, columns

if TYPE_CHECKING:
    import pyarrow.csv as pc


class CsvOutput(Output):
    def __init__(self, file: BinaryIO):
        super().__init__(file)
        self._writer: pc.CSVWriter | None = None

    def add(self, block: Block) -> None:
        import pyarrow as pa
        import pyarrow.csv as pc

        cells = {name: pa.array(one, from_pandas=one.dtype.kind == "f") for name, one in columns(block).items()}
        table = pa.table(cells)
        if self._writer is None:
            header = io.StringIO()
            csv.writer(header, lineterminator="\n").writerow(cells)
            self._file.write(header.getvalue().encode())
            options = pc.WriteOptions(include_header=False, quoting_style="needed")
            self._writer = pc.CSVWriter(self._file, table.schema, write_options=options)
        assert self._writer is not None
        self._writer.write_table(table)

    def finish(self) -> None:
        if self._writer is not None:
            self._writer.close()


OUTPUT = CsvOutput
