"""Data of a program: where it comes from, what is done to it, and in which order training sees it.

The front end needs `schema.py`, `files.py` and `table.py` alone, which know sizes, dtypes and names
without NumPy or scikit-learn. The arrays are made by `load.py` and the modules it draws on; import
those where arrays are wanted.
"""

from .schema import DataError, FilePlace, Schema
from .table import ORDERS, SOURCES, TRANSFORMS, schema_of

__all__ = ["ORDERS", "SOURCES", "TRANSFORMS", "DataError", "FilePlace", "Schema", "schema_of"]
