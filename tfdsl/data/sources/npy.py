"""NumPy's .npy files: one array. The check only reads its header."""

import re
from typing import TYPE_CHECKING

from ..array_columns import columns_of_arrays
from ..schema import Schema
from ..stage import Arguments
from .base import FileSource, OpenedData, Where, open_file
from .npz.headers import stored_array

if TYPE_CHECKING:
    from ..tables import ColumnSource


class Npy(FileSource):
    name = "npy"
    signature = "path: text"
    example = 'data points = npy("points.npy")'
    doc = (
        "A file of one NumPy array. An array [rows, columns] gives the columns `x0`, `x1` and so on; an array with "
        "more axes is one column, `features`."
    )
    suffixes = (".npy",)
    kind = "an .npy file"
    begins = re.compile(rb"\x93NUMPY")
    takes_pattern = False

    def open(self, arguments: Arguments, where: Where) -> OpenedData:
        (path,) = self.files(arguments, where)
        with open_file(path, where) as file:
            array = stored_array(file)
            table = columns_of_arrays((array,), (), file.name)

        def load() -> "ColumnSource":
            from .npz.arrays import read_one

            with open_file(path, where) as file:
                return read_one(file, table)

        return OpenedData(Schema(array.shape[0], table, named=False), load)


SOURCE = Npy()
