"""NumPy's .npz files: arrays in a zip. The check only reads the headers of the arrays."""

import re
from typing import TYPE_CHECKING

from ...array_columns import columns_of_arrays
from ...schema import Schema
from ...stage import Arguments
from ..base import FileSource, OpenedData, Where, open_file
from .headers import stored_arrays

if TYPE_CHECKING:
    from ...tables import ColumnSource


class Npz(FileSource):
    name = "npz"
    signature = "path: text, target: static = none"
    example = 'data pictures = npz("pictures.npz", target="kind")'
    doc = (
        "A file of NumPy arrays that all have the same number of rows; each array is a column. Arrays of training and "
        "test rows, as in Keras' `mnist.npz`, have to be in two files. `target` names one of the arrays, or several in "
        "a list. An array `features` or `X` [rows, columns] gives a column for each of its columns, and `target` or "
        "`y` is the target. An array with more axes, such as sequences [rows, time, channels], is one column: "
        "`batch.signals`."
    )
    suffixes = (".npz",)
    kind = "an .npz file"
    begins = re.compile(rb"PK\x03\x04(?s:.{26})[^\0]*?\.npy")
    takes_pattern = False

    def open(self, arguments: Arguments, where: Where) -> OpenedData:
        (path,), targets = self.files(arguments, where), self.targets(arguments)
        with open_file(path, where) as file:
            arrays = stored_arrays(file)
            table = columns_of_arrays(arrays, targets, file.name)
        schema = Schema(arrays[0].shape[0], table, named=not any(column.name == "x0" for column in table))

        def load() -> "ColumnSource":
            from .arrays import read

            with open_file(path, where) as file:
                return read(file, table)

        return OpenedData(schema, load)


SOURCE = Npz()
