"""Digests of what a run reads and makes: SHA-256 of files, and of the bits of arrays."""

import hashlib
import os
from collections.abc import Iterable
from threading import Thread
from typing import Any, cast

import numpy as np

from ..runtime.result import plain

_LARGEST = 1000  # elements of an array that is recorded as it is


class FileDigests:
    """Digests of files, computed in a thread beside the run."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, object]] = {}
        self._threads: list[Thread] = []

    def add(self, paths: Iterable[str]) -> list[str]:
        """Begin with some files. Returns their full paths."""
        full = [os.path.abspath(path) for path in paths]
        thread = Thread(target=self._read, args=(full,), daemon=True)
        thread.start()
        self._threads.append(thread)
        return full

    def value(self, path: str) -> dict[str, object]:
        """Path, size and digest of a file that was added."""
        for thread in self._threads:
            thread.join()
        return {"path": path, **self._found[path]}

    def _read(self, paths: list[str]) -> None:
        for path in paths:
            if path not in self._found:
                self._found[path] = of_file(path)


def of_file(path: str) -> dict[str, object]:
    """The size and the digest of a file. They are None if it cannot be read."""
    try:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return {"size": file.tell(), "sha256": digest}
    except (OSError, ValueError):
        return {"size": None, "sha256": None}


def of_array(value: Any) -> dict[str, object]:
    """Dtype, shape and digest of an array."""
    array = np.asarray(value)
    result = hashlib.sha256(f"{array.dtype} {array.shape};".encode())
    if array.dtype == object:  # texts
        for one in array.flat:
            text = one if isinstance(one, bytes) else str(one).encode()
            result.update(f"{len(text)} ".encode() + text)
    else:
        result.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data if array.size else b"")
    return {"dtype": str(array.dtype), "shape": list(array.shape), "sha256": result.hexdigest()}


def described(value: object) -> object:
    """A value as plain JSON. A large array is its digest."""
    if isinstance(value, dict):
        values = cast(dict[object, object], value)
        return {str(name): described(one) for name, one in values.items()}
    is_large = isinstance(value, np.ndarray) and cast(np.ndarray[Any, Any], value).size > _LARGEST
    return of_array(value) if is_large else plain(cast(object, value))
