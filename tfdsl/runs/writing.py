"""Writes a record: first how the run began, and in the end what came of it.

A record gets its name when it is complete, and its manifest is replaced by one rename. So a kill leaves the record as
it was before. Everything is flushed to the disk: the beginning by a thread, because the run need not wait for that.
While the run lasts, its process holds a lock on the folder.
"""

import fcntl
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from threading import Thread

from ..access import Access, Folder
from ..json_text import json_text
from ..runtime.files.durable_io import finish, listed, manifest_bytes, new_folder, sync
from .form import BEGIN, CURVES, END, MANIFEST, PREFIX, VERSION, text_names


class RecordWriter:
    """The record of a run that lasts. `path` is its folder."""

    def __init__(self, folder: str, access: Access, begin: Mapping[str, object], texts: Sequence[str]):
        name = f"{PREFIX}{begin['id']}"
        names = [*text_names(len(texts)), BEGIN]
        self.path = os.path.join(folder, name)
        with access.folder(folder, create=True) as parent:
            with new_folder(parent, "run", MANIFEST, names) as (made, work):
                self._held = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=made.fd)
                try:
                    fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    contents = [*(text.encode("utf-8", "surrogateescape") for text in texts), _json(begin)]
                    for file, content in zip(names, contents, strict=True):
                        _write(made, file, content)
                    content = manifest_bytes({"version": VERSION, "files": listed(made, names)})
                    _write(made, f"{MANIFEST}.new", content)
                    made.rename(f"{MANIFEST}.new", MANIFEST)
                    parent.rename(work, name)
                except BaseException:
                    self.close()
                    raise
            folders = Folder(os.dup(self._held), self.path), Folder(os.dup(parent.fd), folder)
        self._flushing = Thread(target=_flush, args=(*folders, [*names, MANIFEST]), daemon=True)
        self._flushing.start()

    def end(self, result: Mapping[str, object], curves: Iterable[str]) -> None:
        """Add what came of the run. Raises OSError if that fails, for example because the folder is gone."""
        self._flushing.join()
        with Folder(os.dup(self._held), self.path) as folder:
            for file in (END, CURVES):  # an earlier attempt may have failed
                if folder.has(file):
                    folder.remove(file)
            if lines := "".join(curves).encode():
                _write(folder, CURVES, lines)
            _write(folder, END, _json(result))
            finish(folder, MANIFEST, {"version": VERSION})

    def close(self) -> None:
        """Release the lock. It is no error to call this twice."""
        if self._held >= 0:
            with suppress(OSError):
                os.close(self._held)
            self._held = -1


def _write(folder: Folder, name: str, content: bytes) -> None:
    """Write a file, which is flushed to the disk later."""
    with folder.creating(name) as file:
        file.write(content)


def _flush(folder: Folder, parent: Folder, names: Sequence[str]) -> None:
    with folder, parent, suppress(OSError):  # it may be gone by now, which the end reports
        for name in names:
            sync(folder, name)
        folder.sync()
        parent.sync()


def _json(content: Mapping[str, object]) -> bytes:
    return json_text(content, indent=1, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
