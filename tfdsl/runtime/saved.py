"""The files of `save to "my_model.ckpt"`: replaced as a whole, recognised when damaged.

They are what TensorFlow's Saver writes, so that it reads them too: `my_model.ckpt.index`, `.data-00000-of-00001` and
`.meta`; and beside them a manifest, `my_model.ckpt.manifest`. They are made in a folder `.my_model.ckpt.new-...`, which
is renamed to `.my_model.ckpt.whole-...` once it is flushed to the disk: that is the moment in which the new state takes
the old one's place. Then the files are moved to where they belong; whoever finds a `.whole-` folder does that first.
"""

import fcntl
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ..access import Access, Folder
from .durable import Damaged, files_of, listed, new_folder, remove_folder, sealed, sync, unsealed, verify, write

_SUFFIX = re.compile(r"\.(?:index|meta|manifest|data-\d{5}-of-\d{5})\Z")


class NotOurs(Exception):
    """A file that would be replaced is not what was saved there; the text is its name."""


class SavedFiles:
    """What is saved at a path, a prefix of files, in a folder that stays open until this is left (`with`).

    FileNotFoundError if there is no such folder and none is to be made.
    """

    def __init__(self, path: str, access: Access, create: bool = False):
        self._folder, self._name = access.beside(path, create=create)
        self._manifest = f"{self._name}.manifest"
        self._left = re.compile(re.escape(f".{self._name}") + r"\.(new|whole)-[0-9a-f]{16}\Z")

    def __enter__(self) -> "SavedFiles":
        return self

    def __exit__(self, *error: object) -> None:
        self._folder.close()

    def exists(self) -> bool:
        """Whether anything is saved there, whole or not."""
        self._recover()
        return any(not name.endswith(".meta") for name in self._names(self._folder))

    @contextmanager
    def reading(self) -> Iterator[str]:
        """The prefix, for TensorFlow to read. `Damaged` where a file is not what was saved; what others saved has no
        manifest, or one that fits neither values nor index, and TensorFlow checks it by checksums of its own."""
        self._recover()
        with suppress(FileNotFoundError):
            files = self._listed()
            values = {name: entry for name, entry in files.items() if not name.endswith(".meta")}
            if not all(self._is_replaced(name, entry) for name, entry in values.items()):
                verify(self._folder, files)
        with self._folder.held(self._names(self._folder)) as path:
            yield os.path.join(path, self._name)

    def replace(self, save: Callable[[str], None]) -> None:
        """Put in the place of what is saved there what `save` writes, given a prefix. `NotOurs` where something else
        is in the way."""
        with self._locked():
            self._finish()
            self._check_ours()
            with new_folder(self._folder, f"{self._name}.new") as (made, work):
                save(os.path.join(made.path, self._name))
                names = made.names()
                for name in names:
                    sync(made, name)
                write(made, self._manifest, sealed({"version": 1, "files": listed(made, names)}))
                made.sync()
                self._folder.rename(work, f".{self._name}.whole-{work[-16:]}")
            self._folder.sync()
            self._finish()

    def _is_replaced(self, name: str, entry: list) -> bool:
        """Whether there is something else in the place of a file of the manifest."""
        if not self._folder.has(name):
            return False
        try:
            verify(self._folder, {name: entry})
        except Damaged:
            return True
        return False

    def _listed(self) -> dict[str, list]:
        """What the manifest lists."""
        return files_of(unsealed(self._folder, self._manifest), self._is_ours)

    def _names(self, folder: Folder) -> list[str]:
        """The files of the prefix that are in a folder."""
        return list(filter(self._is_ours, folder.names()))

    def _is_ours(self, name: str) -> bool:
        return name.startswith(self._name) and _SUFFIX.match(name, len(self._name)) is not None

    def _recover(self) -> None:
        """Finish what was stopped, if this folder can be written to at all."""
        with suppress(PermissionError):
            if any(map(self._left.match, self._folder.names())):
                with self._locked():
                    self._finish()

    def _finish(self) -> None:
        """Move files that were saved as a whole to where they belong; remove those that were not."""
        for name in self._folder.names():
            kind = self._left.match(name)
            if kind and kind[1] == "whole":
                # The manifest comes last: until then the folder is there, and with it all that is needed.
                with self._folder.folder(name) as whole:
                    for file in sorted(self._names(whole), key=lambda file: (file == self._manifest, file[-6:])):
                        whole.rename(file, file, self._folder)
                self._folder.sync()
                os.rmdir(name, dir_fd=self._folder.fd)
            elif kind:
                remove_folder(self._folder, name, lambda file: file.startswith(f"{self._name}."))

    def _check_ours(self) -> None:
        """`NotOurs` unless every file that would be replaced is the one that was saved."""
        try:
            files = self._listed()
        except FileNotFoundError:
            files = {}
        except Damaged:
            raise NotOurs(self._manifest) from None
        for name in self._names(self._folder):
            if name != self._manifest:
                try:
                    verify(self._folder, {name: files[name]})
                except (KeyError, Damaged):
                    raise NotOurs(name) from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Nobody else moves files of this folder meanwhile."""
        handle = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._folder.fd)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)
