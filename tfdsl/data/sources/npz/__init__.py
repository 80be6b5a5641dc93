"""NumPy's .npz files: arrays in a zip. The check only reads the headers of the arrays."""

from typing import TYPE_CHECKING

from ...schema import Schema, number_dtype, numbered
from ...stage import Arguments
from ..base import FileSource, Where, open_file
from .headers import stored_arrays

if TYPE_CHECKING:
    from ...arrays import Table


class Npz(FileSource):
    name = "npz"
    signature = "path: text"
    doc = "A file of NumPy arrays named features and target, or X and y."
    suffixes = (".npz",)

    def schema(self, arguments: Arguments, where: Where) -> Schema:
        with open_file(self.path(arguments), where) as file:
            features, target = stored_arrays(file)
        rows, columns = features.shape
        dtype, name = (None, None) if target is None else (number_dtype(target.name, target.kind), target.name)
        return Schema(rows, numbered(columns), dtype, name, named=False)

    def load(self, where: Where, path: str) -> "Table":
        from .arrays import read

        with open_file(path, where) as file:
            return read(file)


SOURCE = Npz()
