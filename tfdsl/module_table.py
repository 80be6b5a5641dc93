"""Tables with one module per row: sources of data, transforms, formats of pictures.

Input: a package. Output: a mapping from the names of its modules to the objects they define. To add a row, add a
file to the folder; there is no list of files. A module is imported when its row is used.
"""

import os
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Generic, TypeVar

Row = TypeVar("Row")

_BASE = "base"  # the module shared by all rows of a table


class ModuleTable(Mapping[str, Row], Generic[Row]):
    """The rows by name, in alphabetical order. `constant` is the name of the row in each module."""

    def __init__(self, package: str, constant: str):
        self._package, self._constant = package, constant
        self._names: tuple[str, ...] | None = None

    def _found(self) -> tuple[str, ...]:
        if self._names is None:
            folders = import_module(self._package).__path__
            found = {
                entry.name.removesuffix(".py")
                for folder in folders
                for entry in os.scandir(folder)
                if entry.name[0] not in "._" and (entry.name.endswith(".py") or entry.is_dir())
            }
            self._names = tuple(sorted(found - {_BASE}))
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
