"""Reads the numbers of a Parquet file with pyarrow."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from ....diagnostics import PACKAGE_MISSING
from ...arrays import BLOCK, Table
from ...columns import table_of_columns
from ...schema import DataError
from .footer import damaged


def read(file: BinaryIO, target: str | None, stream: bool) -> Table:
    try:
        import pyarrow.parquet as reader
    except ImportError:
        raise DataError(PACKAGE_MISSING, param="path", kind="Parquet files", package="pyarrow") from None
    try:
        found = reader.ParquetFile(file)
        names = found.schema_arrow.names
        blocks = (_columns(part, names) for part in (found.iter_batches(BLOCK) if stream else [found.read()]))
        return table_of_columns(blocks, names, target, file.name, stream)
    except DataError:
        raise
    except Exception as error:  # pyarrow has a different error for each damaged part of a file
        raise damaged(file.name, str(error).splitlines()[0][:200]) from None


def _columns(rows: Any, names: list[str]) -> Iterator[np.ndarray]:
    return (rows.column(name).to_numpy(zero_copy_only=False) for name in names)
