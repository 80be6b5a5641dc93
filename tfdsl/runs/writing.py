"""Writes a record: first how the run began, and in the end what came of it.

Both times the files are flushed to the disk before they are listed in the manifest, which is replaced by one rename. So
a kill leaves the record as it was before. While the run lasts, its process holds a lock on the folder.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from ..access import Access, Folder
from ..runtime.files.durable_io import finish, new_folder, write
from .form import BEGIN, CURVES, END, MANIFEST, PREFIX, VERSION, text_names


class RecordWriter:
    """The record of a run that lasts. `path` is its folder."""

    def __init__(self, folder: str, access: Access, begin: Mapping[str, object], texts: Sequence[str]):
        name = f"{PREFIX}{begin['id']}"
        names = text_names(len(texts))
        self.path = os.path.join(folder, name)
        with access.folder(folder, create=True) as parent:
            with new_folder(parent, "run", MANIFEST, [BEGIN, *names]) as (made, work):
                self._held = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=made.fd)
                try:
                    fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    for file, text in zip(names, texts, strict=True):
                        write(made, file, text.encode("utf-8", "surrogateescape"))
                    write(made, BEGIN, _json(begin))
                    finish(made, MANIFEST, {"version": VERSION})
                    parent.rename(work, name)
                except BaseException:
                    self.close()
                    raise
            parent.sync()

    def end(self, result: Mapping[str, object], curves: Iterable[str]) -> None:
        """Add what came of the run. Raises OSError if that fails, for example because the folder is gone."""
        with Folder(os.dup(self._held), self.path) as folder:
            for file in (END, CURVES):  # another record may have failed to be completed
                if folder.has(file):
                    folder.remove(file)
            write(folder, CURVES, "".join(curves).encode())
            write(folder, END, _json(result))
            finish(folder, MANIFEST, {"version": VERSION})

    def close(self) -> None:
        """Release the lock. It is no error to call this twice."""
        if self._held >= 0:
            with suppress(OSError):
                os.close(self._held)
            self._held = -1


def _json(content: Mapping[str, object]) -> bytes:
    return json.dumps(content, indent=1, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
