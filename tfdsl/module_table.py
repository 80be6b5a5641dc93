"""Tables whose rows are modules: the sources of data, its transforms, the formats of pictures.

Input: a package. Output: a mapping from the names of its modules to the object that each one defines. A new row is a
new file in that folder, and nothing else: no list names the files. A module is imported when its row is asked for.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Generic, TypeVar

Row = TypeVar("Row")

_BASE = "base"  # the module with what all rows of a table share


class ModuleTable(Mapping[str, Row], Generic[Row]):
    """The rows by their names, in alphabetical order. `constant` is what each module calls its row."""

    def __init__(self, package: str, constant: str):
        self._package, self._constant = package, constant
        self._names: tuple[str, ...] | None = None

    def _found(self) -> tuple[str, ...]:
        if self._names is None:
            folders = import_module(self._package).__path__
            self._names = tuple(sorted({module.name for module in iter_modules(folders)} - {_BASE}))
        return self._names

    def __getitem__(self, name: str) -> Row:
        if name not in self._found():
            raise KeyError(name)
        return getattr(import_module(f"{self._package}.{name}"), self._constant)

    def __contains__(self, name: object) -> bool:
        return name in self._found()  # without importing it

    def __iter__(self) -> Iterator[str]:
        return iter(self._found())

    def __len__(self) -> int:
        return len(self._found())
