"""Digests of files, by SHA-256."""

import hashlib
import os
from collections.abc import Iterable
from threading import Thread
from typing import TypedDict


class Digest(TypedDict):
    """The size and the digest of a file, None if it cannot be read."""

    size: int | None
    sha256: str | None


class FileDigest(Digest):
    """The same, with the path."""

    path: str


class FileDigests:
    """Digests of files, computed in a thread beside the run."""

    def __init__(self) -> None:
        self._found: dict[str, Digest] = {}
        self._threads: list[Thread] = []

    def add(self, paths: Iterable[str]) -> list[str]:
        """Begin with some files. Returns their full paths."""
        full = [os.path.abspath(path) for path in paths]
        thread = Thread(target=self._read, args=(full,), daemon=True)
        thread.start()
        self._threads.append(thread)
        return full

    def value(self, path: str) -> FileDigest:
        """Path, size and digest of a file that was added."""
        for thread in self._threads:
            thread.join()
        return {"path": path, **self._found[path]}

    def _read(self, paths: list[str]) -> None:
        for path in paths:
            if path not in self._found:
                self._found[path] = of_file(path)


def of_file(path: str) -> Digest:
    """The size and the digest of a file."""
    try:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return {"size": file.tell(), "sha256": digest}
    except (OSError, ValueError):
        return {"size": None, "sha256": None}
