"""Data of a program: sources, transforms, and the order of rows in training.

`sources/` and `transforms/` have one module each. The front end needs only schemas: sizes, dtypes and names,
which are known without NumPy or scikit-learn (`declaration.py`). `load.py` and the modules it uses make the
arrays; import them only where arrays are needed.
"""

from .declaration import ORDERS, schema_of
from .schema import DataError, FilePlace, Schema
from .sources import SOURCES
from .transforms import TRANSFORMS

__all__ = ["ORDERS", "SOURCES", "TRANSFORMS", "DataError", "FilePlace", "Schema", "schema_of"]
