"""Data of a program: where it comes from, what is done to it, and in which order training sees it.

`sources/` and `transforms/` hold one of each a file. The front end needs schemas alone: sizes, dtypes and names, which
are known without NumPy or scikit-learn (`declaration.py`). The arrays are made by `load.py` and the modules it draws
on; import those where arrays are wanted.
"""

from .declaration import ORDERS, schema_of
from .schema import DataError, FilePlace, Schema
from .sources import SOURCES
from .transforms import TRANSFORMS

__all__ = ["ORDERS", "SOURCES", "TRANSFORMS", "DataError", "FilePlace", "Schema", "schema_of"]
