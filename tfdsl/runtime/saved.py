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

from .durable import Damaged, listed, make_folder, sealed, sync, undone_on_failure, unsealed, verify, write

_MANIFEST = ".manifest"
_SUFFIX = re.compile(r"\.(?:index|meta|manifest|data-\d{5}-of-\d{5})\Z")


class NotOurs(Exception):
    """A file that would be replaced is not what was saved there; the text is its name."""


class SavedFiles:
    """What is saved at a path, a prefix of files."""

    def __init__(self, path: str):
        self.path = os.path.abspath(path)
        self._folder, self._name = os.path.split(self.path)
        self._beside = re.compile(re.escape(f".{self._name}") + r"\.(new|whole)-[0-9a-f]{16}\Z")

    def exists(self) -> bool:
        """Whether anything is saved there, whole or not."""
        self._recover()
        return any(os.path.lexists(self.path + suffix) for suffix in (".index", _MANIFEST))

    def verify(self) -> None:
        """`Damaged` where a file is not what was saved. What others saved has no manifest; TensorFlow checks it."""
        self._recover()
        with suppress(FileNotFoundError):
            verify(self._folder, unsealed(self.path + _MANIFEST)["files"])

    def replace(self, save: Callable[[str], None]) -> None:
        """Put in the place of what is saved there what `save` writes, given a prefix. `NotOurs` where something else
        is in the way."""
        make_folder(self._folder)
        with self._locked():
            self._finish()
            self._check_ours()
            mark = os.urandom(8).hex()
            new = os.path.join(self._folder, f".{self._name}.new-{mark}")
            os.mkdir(new)
            with undone_on_failure(lambda: _remove(new, self._name)):
                save(os.path.join(new, self._name))
                names = sorted(os.listdir(new))
                for name in names:
                    sync(os.path.join(new, name))
                about = {"version": 1, "files": listed(new, names)}
                write(os.path.join(new, self._name + _MANIFEST), sealed(about))
                sync(new)
                os.rename(new, os.path.join(self._folder, f".{self._name}.whole-{mark}"))
            sync(self._folder)
            self._finish()

    def _recover(self) -> None:
        """Finish what was stopped, if this folder can be written to at all."""
        with suppress(FileNotFoundError, PermissionError):
            if any(map(self._beside.match, os.listdir(self._folder))):
                with self._locked():
                    self._finish()

    def _finish(self) -> None:
        """Move files that were saved as a whole to where they belong; remove those that were not."""
        for name in os.listdir(self._folder):
            kind = self._beside.match(name)
            path = os.path.join(self._folder, name)
            if kind and kind[1] == "whole":
                # The manifest comes last: until then the folder is there, and with it all that is needed.
                for file in sorted(os.listdir(path), key=lambda file: file.endswith((".index", _MANIFEST))):
                    if _SUFFIX.match(file.removeprefix(self._name)):
                        os.replace(os.path.join(path, file), os.path.join(self._folder, file))
                sync(self._folder)
                os.rmdir(path)
            elif kind:
                _remove(path, self._name)

    def _check_ours(self) -> None:
        """`NotOurs` unless every file that would be replaced is the one that was saved."""
        try:
            files = unsealed(self.path + _MANIFEST)["files"]
        except FileNotFoundError:
            files = {}
        except Damaged:
            raise NotOurs(self._name + _MANIFEST) from None
        for name in os.listdir(self._folder):
            if name.startswith(self._name) and _SUFFIX.fullmatch(name.removeprefix(self._name)):
                if name == self._name + _MANIFEST:
                    continue
                try:
                    verify(self._folder, {name: files[name]})
                except (KeyError, Damaged):
                    raise NotOurs(name) from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Nobody else moves files of this folder meanwhile."""
        handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _remove(path: str, prefix: str) -> None:
    """Remove a folder that files were saved in; anything else in it stays, and the folder with it."""
    with suppress(OSError):
        for name in os.listdir(path):
            if name.startswith(f"{prefix}."):
                os.remove(os.path.join(path, name))
        os.rmdir(path)
